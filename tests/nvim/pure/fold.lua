-- What a session is folded into, without a daemon and without a screen: `nvim -l fold.lua`.
local fold = require('pilotfish.fold')

local function check(what, got, wanted)
  assert(vim.deep_equal(got, wanted), ('%s: %s, not %s'):format(what, vim.inspect(got), vim.inspect(wanted)))
end

local function attached(seq, more)
  return vim.tbl_extend('force', {
    session = { id = 's1', title = 'A', mode = 'agent', status = { state = 'idle', text = '' } },
    seq = seq,
    openItems = {},
    approvals = {},
    draft = '',
    queue = {},
    plan = { steps = {} },
    usage = { contextTokens = 0 },
    context = {},
    commands = {},
  }, more or {})
end

local function message(id, text, completion)
  return { id = id, turnId = 't1', content = { kind = 'agentMessage', text = text, completion = completion or 'open' } }
end

local function texts(state)
  return vim.tbl_map(function(item)
    return item.id .. ' ' .. item.content.text
  end, state.items)
end

local function update(state, seq, kind, more)
  return fold.update(state, { sessionId = 's1', seq = seq, update = vim.tbl_extend('force', { kind = kind }, more) })
end

-- A stream, and what comes twice or too late.
local state = fold.begin(attached(3), { items = { message('i1', 'one', 'whole') } })
check('a new item', update(state, 4, 'itemStarted', { item = message('i2', '') }).item, 'i2')
check('a delta', update(state, nil, 'itemDelta', { itemId = 'i2', text = 'tw' }).delta, 'tw')
update(state, nil, 'itemDelta', { itemId = 'i2', text = 'o' })
check('what is known', update(state, 4, 'itemStarted', { item = message('i2', '') }), nil)
check('the texts', texts(state), { 'i1 one', 'i2 two' })
local change, gap = update(state, 6, 'itemEnded', { item = message('i2', 'two!', 'whole') })
check('a gap', { change, gap }, { nil, true })
check('nothing was folded', { state.seq, state.open.i2 }, { 4, true })

-- After a lost connection what was missed comes first, then the snapshot counts.
check('behind', fold.resume(state, attached(7, { openItems = { message('i4', 'fo') }, draft = 'd', turnId = 't2' })), false)
update(state, 5, 'itemEnded', { item = message('i2', 'two!', 'whole') })
update(state, 6, 'itemEnded', { item = message('i3', 'three', 'whole') })
check('not yet', state.draft, '')
check('caught up', update(state, 7, 'itemStarted', { item = message('i4', '') }).kind, 'resumed')
update(state, nil, 'itemDelta', { itemId = 'i4', text = 'ur' })
check('the texts after', texts(state), { 'i1 one', 'i2 two!', 'i3 three', 'i4 four' })
check('the snapshot', { state.draft, state.turnId }, { 'd', 't2' })
check('nothing missed', fold.resume(state, attached(7)), true)

-- Older pages come before, each item once.
fold.prepend(state, { items = { message('i0', 'zero', 'whole'), message('i1', 'one', 'whole') }, before = nil })
check('with older ones', texts(state), { 'i0 zero', 'i1 one', 'i2 two!', 'i3 three', 'i4 four' })
check('found', fold.item(state, 'i3').content.text, 'three')

-- Questions wait until they have ended, and a turn's end ends them.
update(state, 8, 'turnStarted', { turnId = 't3' })
update(state, 9, 'itemStarted', { item = { id = 'i5', turnId = 't3', content = { kind = 'question', text = 'x', choices = {} } } })
update(state, 10, 'approvalOpened', { approval = { id = 'a1' } })
check('waiting', fold.waiting(state), 2)
update(state, 11, 'approvalClosed', { approvalId = 'a1' })
check('one less', fold.waiting(state), 1)
update(state, 12, 'turnEnded', { turnId = 't3', stop = 'interrupted' })
check('none', { fold.waiting(state), state.session.status.state }, { 0, 'stopped' })

-- What a newer daemon says is no fault.
check('unknown', update(state, 13, 'surprise', { x = 1 }).kind, 'surprise')
io.stdout:write('ok\n')
