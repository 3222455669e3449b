import { weavers } from './plugins/weavers';

export default [weavers];
