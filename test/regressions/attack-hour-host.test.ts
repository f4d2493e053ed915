import assert from 'node:assert/strict';
import { createHouse, type House } from '../helpers/house.ts';
import { connectTo } from '../helpers/raw-caller.ts';

async function statusFor(house: House, host: string): Promise<number> {
  using caller = await connectTo(house);
  await caller.send(`GET /api/config HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  return (await caller.answer()).status;
}

describe('a Host header', () => {
  let house: House;
  before(async () => {
    house = await createHouse({ env: { NODE_ENV: 'production', AUTH: 'none' } });
  });
  after(() => house[Symbol.asyncDispose]());

  for (const host of [
    'own.example@evil.example',
    'user:pass@own.example',
    'evil.example/own.example',
    'own.example#evil.example',
    'own.example?x',
    'own.example\\evil.example',
    'own.example evil.example',
    'own.example, evil.example',
    'own.example:80:80',
    'http://own.example',
    '[::1',
    '[::1]evil.example',
  ]) {
    it(`that names no host is refused: ${host}`, async () => assert.equal(await statusFor(house, host), 400));
  }

  for (const host of [
    'own.example',
    'OWN.example:8080',
    'my_container:3000',
    '127.0.0.1',
    '[::1]:3000',
    'own.example.',
  ]) {
    it(`that names one is taken: ${host}`, async () => assert.equal(await statusFor(house, host), 200));
  }
});
