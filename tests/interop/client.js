// Node's stock gRPC over mutual TLS: appends, replays, follows, and sees errors.
//
//   node client.js ADDRESS TLS_DIR SCHOOL PROTO_DIR
'use strict';
const assert = require('node:assert');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const [address, tls, school, protos] = process.argv.slice(2);
const WAIT_MS = 20000;

const definition = loader.loadSync(
  ['journal', 'log', 'cluster'].map((name) => path.join(protos, 'zhurnal/v1', `${name}.proto`)),
  { includeDirs: [protos], longs: String, enums: String, defaults: true });
const { zhurnal } = grpc.loadPackageDefinition(definition);

function credentials(who) {
  const read = (name) => fs.readFileSync(path.join(tls, name));
  return grpc.credentials.createSsl(read('ca.pem'), read(`${who}.key`), read(`${who}.pem`));
}

const journal = new zhurnal.v1.JournalService(address, credentials('frontend'));
const log = new zhurnal.v1.LogService(address, credentials('auditor'));

function call(client, method, request) {
  return new Promise((resolve, reject) => {
    client[method](request, { deadline: Date.now() + WAIT_MS },
      (error, response) => (error ? reject(error) : resolve(response)));
  });
}

function draft(number, of = school) {
  return {
    entryId: crypto.randomBytes(16),
    school: of,
    actor: { person: '11', role: 'ROLE_SUBJECT_TEACHER' },
    events: [{
      day: 20261123,
      markSet: { pupil: '701', lesson: '601', slot: 1,
        mark: { markKind: 'MARK_KIND_NUMBER', number } },
    }],
  };
}

async function refused(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it was not refused');
}

function collect(stream, count) {
  return new Promise((resolve, reject) => {
    const records = [];
    const timer = setTimeout(() => reject(new Error('nothing more came')), WAIT_MS);
    const done = () => { clearTimeout(timer); resolve(records); };
    stream.on('data', (record) => {
      records.push(record);
      if (records.length === count) { stream.cancel(); done(); }
    });
    stream.on('error', (error) => {
      if (error.code !== grpc.status.CANCELLED) { clearTimeout(timer); reject(error); }
    });
    stream.on('end', done);
  });
}

const tests = {
  async an_entry_is_recorded_once() {
    const one = draft(5);
    const first = await call(journal, 'Append', { draft: one });
    assert.strictEqual(first.verdict.outcome, 'OUTCOME_ACCEPTED');
    const again = await call(journal, 'Append', { draft: one });
    assert.strictEqual(again.index, first.index);
  },
  async other_bytes_under_the_same_id_already_exist() {
    const one = draft(5);
    await call(journal, 'Append', { draft: one });
    one.events[0].markSet.mark.number = 2;
    const error = await refused(call(journal, 'Append', { draft: one }));
    assert.strictEqual(error.code, grpc.status.ALREADY_EXISTS);
    assert.match(error.details, /index \d+/);
  },
  async a_refusal_has_a_sentence_and_details() {
    const error = await refused(call(journal, 'Append', { draft: draft(5, '1') }));
    assert.strictEqual(error.code, grpc.status.PERMISSION_DENIED);
    assert.ok(error.details.length > 20);
    assert.strictEqual(error.metadata.get('grpc-status-details-bin').length, 1);
  },
  async a_large_request_is_refused_and_the_connection_lives() {
    const request = { draft: draft(5), signature: Buffer.alloc(3 << 20) };
    const error = await refused(call(journal, 'Append', request));
    assert.strictEqual(error.code, grpc.status.RESOURCE_EXHAUSTED);
    await call(journal, 'Append', { draft: draft(5) });
  },
  async replay_gives_what_was_recorded() {
    const { index } = await call(journal, 'Append', { draft: draft(3) });
    const records = await collect(log.Replay({ fromIndex: index, limit: '1' }), 0);
    assert.deepStrictEqual(records.map((record) => record.index), [index]);
    assert.ok(records[0].entry.length > 50);
  },
  async following_brings_what_comes_next() {
    const { index } = await call(journal, 'Append', { draft: draft(3) });
    const coming = collect(log.Replay({ fromIndex: String(BigInt(index) + 1n), follow: true }), 10);
    const expected = [];
    for (let i = 0; i < 10; i++) {
      expected.push((await call(journal, 'Append', { draft: draft(4) })).index);
    }
    assert.deepStrictEqual((await coming).map((record) => record.index), expected);
  },
  async many_at_once_all_get_their_own_index() {
    const all = await Promise.all(Array.from({ length: 200 },
      () => call(journal, 'Append', { draft: draft(5) })));
    assert.strictEqual(new Set(all.map((answer) => answer.index)).size, 200);
  },
};

(async () => {
  let passed = 0;
  let failed = 0;
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test();
      passed++;
    } catch (error) {
      failed++;
      console.log(`FAILED ${name}: ${error.stack}`);
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
})();
