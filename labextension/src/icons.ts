import { LabIcon } from '@jupyterlab/ui-components';

const svg = (body: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16">${body}</svg>`;
const line = (path: string): string =>
  svg(
    `<path class="jp-icon3" stroke="#616161" fill="none" stroke-width="1.6" stroke-linecap="round" d="${path}"/>`
  );
const face = (path: string): string => svg(`<path fill="currentColor" d="${path}"/>`);

/** Warp and weft. */
export const weaverIcon = new LabIcon({
  name: 'loom-weaver:weaver',
  svgstr: line(
    'M4 2v3M4 9v5M8 2v1M8 7v2M8 13v1M12 2v3M12 9v5M2 7h4M10 7h4M2 5h0M6 4.9h4M6 11h4M2 11h0M14 11h0'
  )
});

// One shape for each state, so that colour never stands alone.
export const pendingIcon = new LabIcon({
  name: 'loom-weaver:pending',
  svgstr: face(
    'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1m0 2a5 5 0 1 1 0 10A5 5 0 0 1 8 3m-.8 1.8v4l3 1.8.7-1.2-2.2-1.3V4.8z'
  )
});
export const liveIcon = new LabIcon({
  name: 'loom-weaver:running',
  svgstr: face('M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1M6.5 5l5 3-5 3z')
});
export const doneIcon = new LabIcon({
  name: 'loom-weaver:succeeded',
  svgstr: face('M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1m3.3 4.2 1 1-5 5L4 8l1-1 2.3 2.2z')
});
export const failedIcon = new LabIcon({
  name: 'loom-weaver:failed',
  svgstr: face(
    'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1M5.9 4.8 8 6.9l2.1-2.1 1.1 1.1L9.1 8l2.1 2.1-1.1 1.1L8 9.1l-2.1 2.1-1.1-1.1L6.9 8 4.8 5.9z'
  )
});
export const endingIcon = new LabIcon({
  name: 'loom-weaver:terminating',
  svgstr: face('M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1M5 5h6v6H5z')
});
export const eyeIcon = new LabIcon({
  name: 'loom-weaver:viewers',
  svgstr: face(
    'M8 3C4.5 3 1.7 5.1.5 8c1.2 2.9 4 5 7.500 5s6.300-2.100 7.500-5C14.300 5.100 11.500 3 8 3m0 8.300a3.300 3.300 0 1 1 0-6.600 3.300 3.300 0 0 1 0 6.600M8 6a2 2 0 1 0 0 4 2 2 0 0 0 0-4'
  )
});
