import { launcher, palette } from './plugins/entrances';
import { notifications } from './plugins/notifications';
import { panel } from './plugins/panel';
import { statusbar } from './plugins/statusbar';
import { weavers } from './plugins/weavers';

export default [weavers, panel, launcher, palette, statusbar, notifications];
