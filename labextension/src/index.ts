import { logs } from './plugins/logs';
import { terminals } from './plugins/terminal';
import { weavers } from './plugins/weavers';

export default [weavers, terminals, logs];
