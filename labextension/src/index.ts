import { logs } from './plugins/logs';
import { notebook } from './plugins/notebook';
import { terminals } from './plugins/terminals';
import { weavers } from './plugins/weavers';

export default [weavers, terminals, logs, notebook];
