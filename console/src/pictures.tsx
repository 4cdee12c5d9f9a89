import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { act, type Answers, getText } from './api.ts'
import { pictures } from './questions.ts'
import { Answer, Card, Confirm, Digest, Fault, Mark, type Outcome, Text, When } from './ui.tsx'

type Picture = Answers['listPictures']['pictures'][number]
type Given = NonNullable<Picture['compared']>

const OUTCOMES: Readonly<Record<string, Outcome>> = { passed: 'pass', failed: 'block', error: 'block', timed_out: 'block', needs_approval: 'waiting' }

/** What the probes saw of a run's pages, as three pictures each, and the way to approve one. Nothing where no probe looked at a page. */
export function Pictures({ id, ended }: { readonly id: string; readonly ended: boolean }): ReactNode {
  const asked = useQuery(pictures(id))
  if (asked.data?.pictures.length === 0 || (asked.data === undefined && asked.error === null)) return null
  return <Card title="Pages" side={<span className="soft">as approved, as the run left them, and where they differ</span>}><Answer of={asked}>{({ pictures: rows }) => rows.map((row) => <Look key={row.probe} id={id} ended={ended} of={row} />)}</Answer></Card>
}

function Look({ id, ended, of }: { readonly id: string; readonly ended: boolean; readonly of: Picture }): ReactNode {
  const { probe, status, summary, page, viewport, image, compared, in_force: inForce, difference } = of
  const shown = compared ?? inForce
  return (
    <section aria-label={probe} data-picture={probe}>
      <p className="lead"><Mark outcome={OUTCOMES[status] ?? 'unknown'} word={status.replaceAll('_', ' ')} /> <span><code><Text>{probe}</Text></code> <span className="soft"><Text>{page}</Text>, {viewport.width} × {viewport.height}</span></span></p>
      <p className="soft"><Text>{summary}</Text></p>
      <div className="pictures">
        <Figure id={id} probe={probe} form="approved" digest={shown?.sha256} name={compared === null && inForce !== null ? 'approved since' : 'approved'} none="No picture was approved when this was judged.">{shown !== null && <Who of={shown} />}</Figure>
        <Figure id={id} probe={probe} form="now" digest={image?.sha256} name="now" none="No picture was made.">{image !== null && <span className="soft">{image.width} × {image.height}</span>}</Figure>
        <Figure id={id} probe={probe} form="difference" digest={difference?.sha256 ?? undefined} name="difference" none={difference === null ? 'There was nothing to compare it with.' : difference.changed_pixels === 0 ? 'Not one pixel differs.' : 'Shown once the run has ended.'}>
          {difference !== null && <span className="soft">{percent(difference.changed_share)} of the pixels (at most {percent(of.at_most.changed_share)}), distance {percent(difference.distance)} (at most {percent(of.at_most.distance)})</span>}
        </Figure>
      </div>
      {image !== null && !ended && <p className="soft">It can be approved once the run has ended.</p>}
      {image !== null && ended && <Approval id={id} probe={probe} digest={image.sha256} inForce={inForce} />}
    </section>
  )
}

const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`

const Who = ({ of: { approval, approved_by: by, approved_at: at, reason } }: { readonly of: Given }): ReactNode =>
  by === null ? <Mark outcome="block" word="its record does not verify" /> : <span className="soft">by <Text>{by}</Text>{at !== null && <>, <When at={at} /></>}: <Text>{reason}</Text> <Link to="/runs/$run" params={{ run: approval }}>record</Link></span>

interface Shown { readonly id: string; readonly probe: string; readonly form: 'approved' | 'now' | 'difference'; readonly digest: string | undefined; readonly name: string; readonly none: string; readonly children: ReactNode }

/** The digest stands in the address: the browser must not show again what it was given under the same one before. */
function Figure({ id, probe, form, digest, name, none, children }: Shown): ReactNode {
  const [fault, setFault] = useState<unknown>(undefined)
  const place = `/runs/${id}/pictures/${encodeURIComponent(probe)}/${form}?sha256=${digest}`
  // The image itself tells nobody why it was not given.
  const ask = (): void => void getText(place).then(() => setFault(new Error('the picture cannot be shown')), setFault)
  return (
    <figure data-form={form}>
      <figcaption><strong>{name}</strong>{digest !== undefined && <Digest value={digest} />}</figcaption>
      {digest === undefined ? <p className="none">{none}</p> : fault === undefined ? <img key={digest} src={place} alt={`${name}: the page of ${probe}`} onError={ask} /> : <Fault error={fault} />}
      {children}
    </figure>
  )
}

/** An approval is of the picture that is seen here, by its digest: one that changed meanwhile is refused. */
function Approval({ id, probe, digest, inForce }: { readonly id: string; readonly probe: string; readonly digest: string; readonly inForce: Given | null }): ReactNode {
  const client = useQueryClient()
  if (inForce?.sha256 === digest) return <p><Mark outcome="pass" word="this picture is approved" /> <span className="soft">later runs must look like it</span></p>
  return (
    <p className="acts">
      <Confirm label="Approve" title={`Approve picture ${digest.slice(0, 12)} of ${probe}`}
        consequence={<>Every later run must look like it to pass{inForce === null ? null : <>, and no longer like the one that <Text>{inForce.approved_by}</Text> approved</>}. This run stays as it was judged. The ledger names you.</>}
        act={(reason) => act('POST', `/runs/${id}/pictures/${encodeURIComponent(probe)}/approval`, { sha256: digest, reason })}
        after={() => void client.invalidateQueries({ queryKey: ['run', id, 'pictures'] })} />
    </p>
  )
}
