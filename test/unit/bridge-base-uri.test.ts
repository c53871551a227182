import assert from 'node:assert/strict';
import { baseUri } from '../../sandbox/bridge/base-uri.ts';

function uri(headers: Record<string, string>, authority = 'bridge:8080', path = '/consumers/g'): string {
  return baseUri({ authority, path, header: (name) => headers[name] }, 'c');
}

describe('bridge: the base_uri of a consumer', () => {
  const cases: [string, Record<string, string>, string][] = [
    ['is the address that was called', {}, 'http://bridge:8080/consumers/g/instances/c'],
    ['is what a gateway says', { 'x-forwarded-host': 'east.example', 'x-forwarded-proto': 'http' }, 'http://east.example:80/consumers/g/instances/c'],
    ['has the port of https', { 'x-forwarded-host': 'east.example', 'x-forwarded-proto': 'https' }, 'https://east.example:443/consumers/g/instances/c'],
    ['ignores a host without a scheme', { 'x-forwarded-host': 'east.example' }, 'http://bridge:8080/consumers/g/instances/c'],
    ['ignores a scheme without a host', { 'x-forwarded-proto': 'https' }, 'http://bridge:8080/consumers/g/instances/c'],
    ['follows Forwarded before all others', { forwarded: 'host=a.example;proto=https', 'x-forwarded-host': 'b', 'x-forwarded-proto': 'http' }, 'https://a.example:443/consumers/g/instances/c'],
    ['follows Forwarded in capitals', { forwarded: 'Host=a.example;Proto=https' }, 'https://a.example:443/consumers/g/instances/c'],
    ['ignores all when Forwarded says half', { forwarded: 'host=a.example', 'x-forwarded-host': 'b', 'x-forwarded-proto': 'http' }, 'http://bridge:8080/consumers/g/instances/c'],
    ['takes the path that a gateway gives', { 'x-forwarded-path': '/kafka/consumers/g' }, 'http://bridge:8080/kafka/consumers/g/instances/c'],
    ['asks the path that was called whether it ends with a slash, as the original does', { 'x-forwarded-path': '/kafka/' }, 'http://bridge:8080/kafka//instances/c'],
    ['knows no prefix', { 'x-forwarded-prefix': '/kafka' }, 'http://bridge:8080/consumers/g/instances/c'],
    ['keeps a port of any scheme', { 'x-forwarded-host': 'a:1', 'x-forwarded-proto': 'ftp' }, 'ftp://a:1/consumers/g/instances/c'],
  ];
  for (const [what, headers, expected] of cases) it(what, () => assert.equal(uri(headers), expected));

  it('adds no second slash', () => assert.equal(uri({}, 'b:1', '/consumers/g/'), 'http://b:1/consumers/g/instances/c'));
  it('writes port 80 out', () => assert.equal(uri({}, 'kafka.example'), 'http://kafka.example:80/consumers/g/instances/c'));
  it('refuses a scheme without a known port', () => assert.throws(() => uri({ 'x-forwarded-host': 'a', 'x-forwarded-proto': 'ftp' }), /ftp is not a valid schema\/proto\./));
  it('refuses a list of two hops', () => assert.throws(() => uri({ forwarded: 'host=a;proto=https, host=b.example' }), /is not a valid schema\/proto\./));
});
