import * as z from 'zod'
import { approveRenderIn } from '../../app/approve.ts'
import { PICTURE_FORMS, ProbeOutput, runPicture, RunPicture, runPictures, runProbeOutputs } from '../../app/pictures.ts'
import { Name, RunId } from '../../contract/ids.ts'
import { Digest } from '../../contract/verdict.ts'
import { defineRoute, LOOKING, NONE, WORKING } from '../route.ts'
import { acted } from './acts.ts'

const list = defineRoute({
  id: 'listPictures', method: 'GET', path: '/runs/{run}/pictures', kinds: LOOKING, summary: 'What the render probes of a run saw of its pages, what each was compared with, and what is approved now.',
  parameters: z.strictObject({ run: RunId }), query: NONE, body: NONE,
  answer: { status: 200, description: 'One row a probe; none where no probe looked at a page.', contentType: 'application/json', schema: z.strictObject({ pictures: z.array(RunPicture) }) },
  handle: async ({ server, parameters }) => ({ status: 200, json: { pictures: await runPictures(server.options, server.ledger, parameters.run) } }),
})

const show = defineRoute({
  id: 'showPicture', method: 'GET', path: '/runs/{run}/pictures/{probe}/{form}', kinds: LOOKING, summary: 'One picture of a run: only bytes whose digest the ledger names are given out.',
  parameters: z.strictObject({ run: RunId, probe: Name, form: z.enum(PICTURE_FORMS) }), query: z.strictObject({ sha256: Digest.optional().describe('Only this one: another is answered as none.') }), body: NONE,
  answer: { status: 200, description: 'The picture.', contentType: 'image/png' },
  handle: async ({ server, parameters: { run, probe, form }, query }) => ({ status: 200, bytes: await runPicture(server.options, server.ledger, { runId: run, probe, form, digest: query.sha256 }), contentType: 'image/png' }),
})

const outputs = defineRoute({
  id: 'listProbeOutputs', method: 'GET', path: '/runs/{run}/probes', kinds: LOOKING, summary: 'What every probe of a run printed, on each copy of the work: the beginning and the end of it, without secrets.',
  parameters: z.strictObject({ run: RunId }), query: NONE, body: NONE,
  answer: { status: 200, description: 'In the order in which they were asked.', contentType: 'application/json', schema: z.strictObject({ probes: z.array(ProbeOutput) }) },
  handle: async ({ server, parameters }) => ({ status: 200, json: { probes: await runProbeOutputs(server.ledger, parameters.run) } }),
})

const approve = defineRoute({
  id: 'approveRender', method: 'POST', path: '/runs/{run}/pictures/{probe}/approval', kinds: WORKING, summary: 'Say that a page looks as it should: later runs must look like this picture. The same act as npx portcullis approve render, in the name of the holder of the token.',
  parameters: z.strictObject({ run: RunId, probe: Name }), query: NONE,
  body: z.strictObject({ sha256: Digest.describe('Of the picture that was looked at; another one is not approved.'), reason: z.string().trim().min(1).max(1_000).describe('Why. It stands in the ledger with the name of whoever asks.') }),
  answer: { status: 201, description: 'It is approved.', contentType: 'application/json', schema: z.strictObject({ approval_id: RunId, probe: Name, sha256: Digest, approved_by: z.string(), approved_at: z.iso.datetime() }) },
  handle: ({ server, principal, parameters: { run, probe }, body }) => acted(server, principal, { act: 'approve_render', object: `${probe} of ${run}`, reason: body.reason }, async ({ name }) => {
    const { runId, approval } = await approveRenderIn(server.options, server.ledger, { of: run, probe, image: body.sha256, approvedBy: name, reason: body.reason })
    return { status: 201, json: { approval_id: runId, probe: approval.probe, sha256: approval.image.sha256, approved_by: approval.approved_by, approved_at: approval.approved_at } }
  }),
})

export const pictureRoutes = [list, show, outputs, approve]
