// A case exported by the phone and by the ward is a standard automerge file with the same content.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import * as Automerge from '@automerge/automerge'

const bin = process.env.GANDAN_BIN
const folder = mkdtempSync(join(tmpdir(), 'gandan-interop-'))
const ward = join(folder, 'ward')
const phone = join(folder, 'phone')
const env = { ...process.env, GANDAN_STORE_KEY: '07'.repeat(32) }
let serving

const server = (...words) => execFileSync(join(bin, 'gandan-server'), words, { env, encoding: 'utf8' })
const onPhone = (words, options = {}) => execFileSync(join(bin, 'gandan-phone'), words, { env, ...options })
const phoneText = (...words) => onPhone(words, { encoding: 'utf8' })

const line = {
  id: 'c000001', visit: 'v1', area: 'P1-T1', kind: 'report', category: 'flooding', urgency: 'high', status: 'new',
  recorded_at: '2026-03-02T01:00:00.000Z', text: 'Nước cống tràn lên mặt đường hẻm 42 Bắc Hải từ hôm qua.',
  citizen: { name: 'Lê Văn Bình', phone: '0903343439', address: '12/3 Bắc Hải' },
  location: { lat: 10.7809, lon: 106.655 }, attachments: {}, notes: [],
}

before(async () => {
  server('init', '--data', ward, '--ward', '26995')
  serving = spawn(join(bin, 'gandan-server'),
    ['serve', '--data', ward, '--quic', '127.0.0.1:0', '--http', '127.0.0.1:0'],
    { env, stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const ready of createInterface({ input: serving.stdout })) {
    assert.match(ready, /^ready /)
    break
  }
  const invite = server('invite', '--data', ward, '--officer', 'Trần Thị Mai', '--role', 'officer').trim()
  phoneText('enrol', '--store', phone, '--invite', invite)
})

after(() => {
  serving?.kill('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
})

test('a case exported by phone and ward opens in automerge with the same content', () => {
  const recorded = JSON.parse(onPhone(['record', '--store', phone], { input: JSON.stringify(line) + '\n', encoding: 'utf8' }))
  phoneText('edit', '--store', phone, recorded.id, '--note', 'Tổ trưởng đã gọi công ty thoát nước')
  phoneText('sync', '--store', phone, '--json')
  const shown = JSON.parse(phoneText('show', '--store', phone, '--json', recorded.id))

  const ofPhone = Automerge.load(new Uint8Array(onPhone(['export', '--store', phone, recorded.id])))
  const ofWard = Automerge.load(new Uint8Array(execFileSync(join(bin, 'gandan-server'), ['export', '--data', ward, recorded.id], { env })))
  assert.deepEqual(Automerge.toJS(ofPhone), Automerge.toJS(ofWard))
  assert.deepEqual(Automerge.getHeads(ofPhone), Automerge.getHeads(ofWard))

  assert.equal(String(ofPhone.text), line.text)
  assert.equal(String(ofPhone.code), recorded.code)
  assert.equal(String(ofPhone.category), shown.category)
  assert.equal(String(ofPhone.urgency), shown.urgency)
  assert.equal(String(ofPhone.status), shown.status)
  assert.equal(String(ofPhone.external_ref), line.id)
  assert.equal(Number(ofPhone.households), 1)
  assert.equal(ofPhone.notes.length, 1)
  assert.equal(String(ofPhone.notes[0].text), shown.notes[0].text)
  // The creation and the note; what the history says of the citizen is another document's.
  assert.equal(Automerge.getAllChanges(ofPhone).length, 2)
})
