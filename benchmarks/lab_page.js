// What is measured in the page itself, by the page's own clock. Both kinds of terminal are an xterm.js.
window.bench = (() => {
  const { shell, commands, serviceManager } = window.jupyterapp;

  /** A weaver's terminal by its id, Lab's own by its session's name. */
  const widgetOf = name =>
    [...shell.widgets('main')].find(
      each => each.id === `loom-weaver-terminal-${name}` || each.content?.session?.name === name
    );
  const screenOf = name => {
    const content = widgetOf(name)?.content;
    return content?._screen?.terminal ?? content?._term;
  };
  const until = async look => {
    for (;;) {
      const found = look();
      if (found) {
        return found;
      }
      await new Promise(resolve => setTimeout(resolve, 1));
    }
  };
  const place = ({ buffer: { active } }) => 1e4 * (active.baseY + active.cursorY) + active.cursorX;
  const lineOf = ({ buffer: { active } }, up) =>
    active.getLine(active.baseY + active.cursorY - up)?.translateToString(true) ?? '';
  const ends = (screen, mark) => [0, 1, 2].some(up => lineOf(screen, up).startsWith(mark));

  /** Resolves once a frame with what `isThere` is drawn. */
  const drawn = (screen, isThere) =>
    new Promise(resolve => {
      const look = () => {
        if (isThere()) {
          rendered.dispose();
          resolve(performance.now());
        }
      };
      const rendered = screen.onRender(look);
      look();
    });

  const open = async (name, isWeaver) => {
    const started = performance.now();
    if (isWeaver) {
      await commands.execute('loom-weaver:open-terminal', { id: name });
    } else {
      await commands.execute('terminal:open', { name });
    }
    const screen = await until(() => screenOf(name));
    return (await drawn(screen, () => lineOf(screen, 0).trim() !== '')) - started;
  };

  const show = name => {
    shell.activateById(widgetOf(name).id);
    screenOf(name).focus();
  };

  /** From the next key on to the frame that shows what it did. */
  let key = null;
  const expectKey = name => {
    const screen = screenOf(name);
    const before = place(screen);
    key = new Promise(resolve => {
      const pressed = event => {
        drawn(screen, () => place(screen) !== before).then(at => resolve(at - event.timeStamp));
      };
      window.addEventListener('keydown', pressed, { capture: true, once: true });
    });
  };

  /** From the next key on to the frame that shows a line which begins with `mark`; and the longest wait of a timer. */
  let run = null;
  const expectMark = (name, mark, code) => {
    const screen = screenOf(name);
    run = new Promise(resolve => {
      const pressed = event => {
        if (event.code !== code) {
          return;
        }
        window.removeEventListener('keydown', pressed, true);
        let [last, stall] = [performance.now(), 0];
        const ticking = setInterval(() => {
          const now = performance.now();
          [last, stall] = [now, Math.max(stall, now - last)];
        }, 10);
        drawn(screen, () => ends(screen, mark)).then(at => {
          clearInterval(ticking);
          resolve([at - event.timeStamp, stall]);
        });
      };
      window.addEventListener('keydown', pressed, true);
    });
  };

  /** From the answer to a create, which nothing else of this page has asked for, to the frame with its row. */
  const appear = async body => {
    const { baseUrl, token } = serviceManager.serverSettings;
    const answer = await fetch(`${baseUrl}api/weaver`, {
      method: 'POST',
      headers: { Authorization: `token ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body)
    });
    const answered = performance.now();
    const { id } = await answer.json();
    const row = () => document.querySelector(`.jp-LoomWeaver-row[data-weaver-id="${id}"]`);
    await new Promise(resolve => {
      const watching = new MutationObserver(() => row() && done());
      const done = () => {
        watching.disconnect();
        resolve();
      };
      watching.observe(document.body, { subtree: true, childList: true });
      if (row()) {
        done();
      }
    });
    await new Promise(requestAnimationFrame);
    return [id, performance.now() - answered];
  };

  return { open, show, expectKey, expectMark, appear, key: () => key, run: () => run };
})();
