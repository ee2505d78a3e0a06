/** What a sync has to do, person by person and place by place, told without any database. */

/** A role that somebody has in the workspace (`place` is `workspace`) or on a project. */
export interface ModelGrant {
  readonly member: string
  readonly place: string
  /** The key of a predefined role, or `custom`. */
  readonly role: string
  readonly isSynced: boolean
}

export interface ModelState {
  readonly autoRemove: boolean
  readonly defaultRole: string | null
  readonly seats: number | null
  readonly projects: readonly { id: string; isArchived: boolean }[]
  readonly mappings: readonly { group: string; role: string; on: string }[]
  readonly active: ReadonlySet<string>
  /** Roles in the workspace by groups, of any member. */
  readonly through: ReadonlyMap<string, readonly string[]>
  readonly grants: readonly ModelGrant[]
}

export interface ModelResult {
  /** The sync's grants afterwards: `member place role`. */
  readonly grants: readonly string[]
  readonly skipped: Readonly<Record<string, string | null>>
  /** `member place reason`. */
  readonly kept: readonly string[]
}

const WORKSPACE_ORDER = ['guest', 'member', 'admin', 'owner']
const PROJECT_ORDER = ['guest', 'viewer', 'commenter', 'member', 'admin']
/** A custom role ranks as a member, below the predefined one. */
function height(place: string, role: string): number {
  const order = place === 'workspace' ? WORKSPACE_ORDER : PROJECT_ORDER
  return order.indexOf(role === 'custom' ? 'member' : role)
}
function highest(place: string, roles: readonly string[]): string | undefined {
  return roles.toSorted(
    (one, other) =>
      height(place, other) - height(place, one) || Number(one === 'custom') - Number(other === 'custom'),
  )[0]
}
const forGuests = (role: string) => ['guest', 'viewer', 'commenter'].includes(role)
const administers = (place: string, role: string) =>
  role === 'admin' || (place === 'workspace' && role === 'owner')

interface Move {
  readonly member: string
  readonly place: string
  readonly before: readonly string[]
  readonly after: readonly string[]
}
const gives = ({ before, after }: Move) => after.some((role) => !before.includes(role))
const isLoss = ({ place, before, after }: Move) => {
  const [was, is] = [highest(place, before), highest(place, after)]
  return was !== undefined && (is === undefined || height(place, is) < height(place, was))
}

export function foretellSync(state: ModelState, claims: ReadonlyMap<string, readonly string[]>): ModelResult {
  const skipped: Record<string, string | null> = {}
  const kept: string[] = []
  const moves: Move[] = []
  const guests = new Set<string>()
  const members = [...claims.keys()].toSorted()
  for (const member of members) {
    if (!state.active.has(member)) {
      skipped[member] = 'not_active'
      continue
    }
    const person = new Person(state, member, claims.get(member)!)
    skipped[member] = person.isMatched ? null : 'no_match'
    for (const move of person.moves()) moves.push(move)
    for (const place of person.heldBack) kept.push(`${member} ${place} auto_remove_off`)
    if (person.isGuest) guests.add(member)
    const wantsAnything = person.moves().some(gives)
    const tooMuchByHand = person.byHand.some(({ place, role }) => place !== 'workspace' && !forGuests(role))
    if (person.isGuest && tooMuchByHand && wantsAnything) skipped[member] = 'guest_limit'
  }
  bar(state, moves, skipped)
  const isBarred = ({ member }: Move) => ['guest_limit', 'no_seat'].includes(skipped[member] ?? '')
  let left = moves.filter((move) => !(isBarred(move) && gives(move)))
  left = keepAdmins(state, left, kept)
  const changed = new Set(left.map(({ member, place }) => `${member} ${place}`))
  const untouched = state.grants.filter(
    ({ member, place, isSynced }) => isSynced && !changed.has(`${member} ${place}`),
  )
  const grants = [
    ...untouched.map(({ member, place, role }) => `${member} ${place} ${role}`),
    ...left.flatMap(({ member, place, after }) => after.map((role) => `${member} ${place} ${role}`)),
  ]
  return { grants: grants.toSorted(), skipped, kept: kept.toSorted() }
}

/** One member before the rules that are about several. */
class Person {
  readonly heldBack: string[] = []
  readonly isMatched: boolean
  readonly isGuest: boolean
  readonly byHand: readonly ModelGrant[]
  private readonly found: Move[] = []
  private readonly state: ModelState
  private readonly member: string

  constructor(state: ModelState, member: string, groups: readonly string[]) {
    this.state = state
    this.member = member
    const mine = state.mappings.filter(({ group }) => groups.includes(group))
    this.isMatched = mine.length > 0
    this.byHand = state.grants.filter((grant) => grant.member === member && !grant.isSynced)
    const rolesOn = (on: string) => mine.filter((mapping) => mapping.on === on).map(({ role }) => role)
    const others = this.byHand.filter(({ place }) => place === 'workspace').map(({ role }) => role)
    const synced = this.synced('workspace')
    const isIn = others.length > 0 || (state.through.get(member) ?? []).length > 0
    let wish = highest('workspace', rolesOn('workspace'))
    if (wish === undefined && this.isMatched && (synced.length > 0 || !isIn))
      wish = state.defaultRole ?? 'member'
    const direct = [...others, ...this.move('workspace', wish, false, false)]
    this.isGuest = direct.length > 0 && direct.every((role) => role === 'guest')
    for (const { id, isArchived } of state.projects) {
      const best = highest(id, [...rolesOn(id), ...rolesOn('all')])
      const capped = best !== undefined && this.isGuest && !forGuests(best) ? 'commenter' : best
      this.move(id, capped, isArchived, this.isGuest)
    }
  }

  moves(): readonly Move[] {
    return this.found
  }

  private synced(place: string): string[] {
    return this.state.grants
      .filter((grant) => grant.member === this.member && grant.place === place && grant.isSynced)
      .map(({ role }) => role)
  }

  /** Decides about one place, and answers what the sync gives there then. */
  private move(
    place: string,
    wish: string | undefined,
    isArchived: boolean,
    limited: boolean,
  ): readonly string[] {
    const before = this.synced(place)
    const tooMuch = limited && before.some((role) => !forGuests(role))
    const to = (after: readonly string[]) => {
      const isSame = after.length === before.length && after.every((role) => before.includes(role))
      if (!isSame) this.found.push({ member: this.member, place, before, after })
      return after
    }
    if (wish === undefined) {
      if (before.length === 0 || this.state.autoRemove) return to([])
      if (tooMuch) return to(isArchived ? [] : ['commenter'])
      this.heldBack.push(place)
      return before
    }
    if (before.length === 0) return to(isArchived ? [] : [wish])
    if (before.length === 1 && before[0] === wish) return before
    if (isArchived) return tooMuch ? to([]) : before
    const isHigher = height(place, wish) > height(place, highest(place, before)!)
    if (this.state.autoRemove || tooMuch || isHigher) return to([wish])
    if (!before.includes(wish)) this.heldBack.push(place)
    return before
  }
}

const isPaid = (role: string) => role !== 'guest'

/** Seats, in the order of ids. */
function bar(state: ModelState, moves: readonly Move[], skipped: Record<string, string | null>): void {
  if (state.seats === null) return
  const inWorkspace = moves.filter(({ place }) => place === 'workspace')
  if (!inWorkspace.some(gives)) return
  const seatedBy = (member: string, grants: readonly ModelGrant[]) =>
    [
      ...(state.through.get(member) ?? []),
      ...grants
        .filter((grant) => grant.member === member && grant.place === 'workspace')
        .map(({ role }) => role),
    ].some(isPaid)
  const byHand = state.grants.filter(({ isSynced }) => !isSynced)
  const seated = [...state.active].filter((member) => seatedBy(member, state.grants))
  const losesAdmin = (member: string) =>
    moves.some(
      ({ member: who, place, before, after }) =>
        who === member && before.some((role) => administers(place, role) && !after.includes(role)),
    )
  const free = (member: string) => skipped[member] !== 'guest_limit'
  const freed = inWorkspace.filter(
    ({ member, before, after }) =>
      before.some(isPaid) &&
      !after.some(isPaid) &&
      !seatedBy(member, byHand) &&
      free(member) &&
      !losesAdmin(member),
  )
  let seats = state.seats - seated.length + freed.length
  if (seats < 0) {
    for (const move of inWorkspace) if (gives(move) && free(move.member)) skipped[move.member] = 'no_seat'
    return
  }
  for (const move of inWorkspace.toSorted((a, b) => (a.member < b.member ? -1 : 1))) {
    const takes = gives(move) && move.after.some(isPaid) && !seatedBy(move.member, state.grants)
    if (!takes || !free(move.member)) continue
    if (seats > 0) seats -= 1
    else skipped[move.member] = 'no_seat'
  }
}

/** Takes back what would leave a project or the workspace without an admin. */
function keepAdmins(state: ModelState, moves: readonly Move[], kept: string[]): Move[] {
  let left = [...moves]
  const cancel = (move: Move) => {
    left = left.filter((other) => other !== move)
    kept.push(`${move.member} ${move.place} last_admin`)
  }
  const adminsAfter = (place: string) => {
    const touched = new Map(left.filter((move) => move.place === place).map((move) => [move.member, move]))
    const byGrant = state.grants.filter(
      ({ member, place: on, role, isSynced }) =>
        on === place &&
        state.active.has(member) &&
        administers(place, role) &&
        !(isSynced && touched.has(member)),
    )
    const byMove = [...touched.values()].filter(({ after }) => after.some((role) => administers(place, role)))
    return byGrant.length + byMove.length
  }
  const losers = (place: string) =>
    left.filter(
      ({ place: on, before, after }) =>
        on === place && before.some((role) => administers(place, role) && !after.includes(role)),
    )
  const soleOn = new Set<string>()
  for (const { id, isArchived } of state.projects) {
    const [first] = losers(id).toSorted((a, b) => (a.member < b.member ? -1 : 1))
    if (isArchived || first === undefined || adminsAfter(id) > 0) continue
    cancel(first)
    soleOn.add(first.member)
  }
  for (const move of [...left]) {
    if (move.place === 'workspace' && soleOn.has(move.member) && isLoss(move)) cancel(move)
  }
  const [first] = losers('workspace').toSorted(
    (a, b) =>
      height('workspace', highest('workspace', b.before)!) -
        height('workspace', highest('workspace', a.before)!) || (a.member < b.member ? -1 : 1),
  )
  if (first !== undefined && adminsAfter('workspace') === 0) cancel(first)
  return left
}
