import assert from 'node:assert/strict';
import { findImage, images } from '../../sandbox/images/index.ts';
import type { ContainerContext } from '../../sandbox/images/image.ts';

describe('The image table', () => {
  it('finds a program whatever tag or digest the reference has', () => {
    const node = images['docker.io/library/node'];
    for (const reference of ['node', 'node:24', 'library/node', 'docker.io/library/node:24@sha256:0', 'docker.io/library/node@sha256:0']) assert.equal(findImage(reference), node, reference);
    assert.equal(findImage('localhost:5000/library/node:1'), undefined);
    assert.equal(findImage('nginx'), undefined);
  });

  it('runs the pod\'s command in place of node', () => {
    const launch = (container: object) => findImage('node')?.({ container } as unknown as ContainerContext).argv;
    assert.deepEqual(launch({ args: ['-e', '1'] }), ['node', '-e', '1']);
    assert.deepEqual(launch({ command: ['sh'], args: ['-c', 'x'] }), ['sh', '-c', 'x']);
  });
});
