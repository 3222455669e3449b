import { launcher, palette } from './plugins/entrances';
import { logs } from './plugins/logs';
import { notebook } from './plugins/notebook';
import { notifications } from './plugins/notifications';
import { panel } from './plugins/panel';
import { statusbar } from './plugins/statusbar';
import { terminals } from './plugins/terminal';
import { weavers } from './plugins/weavers';

export default [
  weavers,
  panel,
  terminals,
  logs,
  launcher,
  palette,
  statusbar,
  notifications,
  notebook
];
