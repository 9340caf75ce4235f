--- Draws hunks over the real text, of which it changes nothing: marks that the editor moves along with what is typed. What takes room
--- on the screen is put there at once, so that nothing jumps; colours, signs and changed words follow for the lines that are seen.
local columns = require('pilotfish.columns')
local config = require('pilotfish.config')
local events = require('pilotfish.events')
local ghost = require('pilotfish.ghost')

local M = {}

--- Lines above and below the window that are drawn along with it.
local MARGIN = 40
--- Below what parsers and language servers colour, so that code keeps its colours, and above them for groups that would not be readable
--- below.
local BELOW, ABOVE = 90, 150

--- One mark for each hunk, which spans its lines; all else is in a space of its own.
local anchors = vim.api.nvim_create_namespace('pilotfish.hunks')
local paint = vim.api.nvim_create_namespace('pilotfish.paint')

--- A hunk and its marks.
---@class pilotfish.Drawn
---@field hunk pilotfish.Hunk
---@field mark integer Spans its lines.
---@field is_behind boolean It is behind the last line, and marked on that.
---@field ghost? integer Holds the lines that are not in the text.
---@field paint integer[] Signs, changed words.
---@field seen? {first: integer, last: integer} The lines that have their signs, counted from the hunk's first.

--- A hunk where it is now: lines from 0, `last` behind it.
---@class pilotfish.Place
---@field hunk pilotfish.Hunk
---@field first integer
---@field last integer

--- How things are drawn at the moment.
---@class pilotfish.Manner
---@field diff 'inline'|'signs'|'none'
---@field priorities table<string, integer> By the group.

---@type table<integer, table<integer, pilotfish.Drawn>> The hunks of a buffer by their marks.
local sheets = {}

--- How much was drawn since the start, for tests of how little is.
M.work = { placed = 0, dressed = 0 }

--- Beside a comparison of the editor's own the lines that are gone would be there twice.
---@param bufnr integer
---@return pilotfish.Manner
local function manner(bufnr)
  local diff = config.get('diff')
  for _, window in ipairs(vim.fn.win_findbuf(bufnr)) do
    if diff == 'inline' and vim.wo[window].diff then
      diff = 'signs'
    end
  end
  local priorities = setmetatable({}, {
    __index = function(known, group)
      known[group] = ghost.covers(group) and ABOVE or BELOW
      return known[group]
    end,
  })
  return { diff = diff, priorities = priorities }
end

--- Where a hunk is by what the daemon says.
---@param hunk pilotfish.Hunk
---@return integer first, integer last
local function extent(hunk)
  local range = hunk.state == 'applied' and hunk.newRange or hunk.oldRange
  return range.start, range['end']
end

--- Where it is by its mark.
---@param drawn pilotfish.Drawn
---@param row integer
---@param details table
---@return integer first, integer last
local function position(drawn, row, details)
  if drawn.is_behind then
    return row + 1, row + 1
  end
  return row, math.max(details.end_row or row, row)
end

--- The line of a hunk that the cursor goes to. One that took the last lines away is on what is the last line now.
---@param bufnr integer
---@param place pilotfish.Place
---@return integer
function M.row(bufnr, place)
  return math.min(place.first, vim.api.nvim_buf_line_count(bufnr) - 1)
end

--- Whether a hunk is at a line.
---@param bufnr integer
---@param place pilotfish.Place
---@param row integer
---@return boolean
function M.covers(bufnr, place, row)
  return row == M.row(bufnr, place) or row >= place.first and row < place.last
end

--- The hunks between two lines, in the order of the text.
---@param bufnr integer
---@param from integer|integer[]
---@param to integer|integer[]
---@return pilotfish.Place[] places, pilotfish.Drawn[] drawn the same ones
local function between(bufnr, from, to)
  local places, found = {}, {}
  local marks = vim.api.nvim_buf_get_extmarks(bufnr, anchors, from, to, { details = true, overlap = true })
  for _, mark in ipairs(marks) do
    local drawn = sheets[bufnr] and sheets[bufnr][mark[1]]
    if drawn then
      local first, last = position(drawn, mark[2], mark[4])
      table.insert(places, { hunk = drawn.hunk, first = first, last = last })
      table.insert(found, drawn)
    end
  end
  return places, found
end

--- All hunks of a buffer.
---@param bufnr integer
---@return pilotfish.Place[]
function M.places(bufnr)
  return (between(bufnr == 0 and vim.api.nvim_get_current_buf() or bufnr, 0, -1))
end

--- Those at a line, and the number of the first of them among all.
---@param bufnr integer
---@param row integer
---@return pilotfish.Place[] places, integer number, integer all
function M.at(bufnr, row)
  local places, found = between(bufnr, { row, 0 }, { row, -1 })
  local here, first = {}, nil
  for index, place in ipairs(places) do
    if M.covers(bufnr, place, row) then
      first = first or found[index]
      table.insert(here, place)
    end
  end
  if not first then
    return {}, 0, 0
  end
  local number = 0
  local marks = vim.api.nvim_buf_get_extmarks(bufnr, anchors, 0, -1, {})
  for index, mark in ipairs(marks) do
    number = mark[1] == first.mark and index or number
  end
  return here, number, #marks
end

---@param bufnr integer
---@return boolean
function M.has_hunks(bufnr)
  return sheets[bufnr] ~= nil
end

---@param hunk pilotfish.Hunk
---@return string text, string group
local function sign(hunk)
  if hunk.state == 'conflict' then
    return '▎', 'PilotfishConflict'
  elseif hunk.kind == 'delete' and hunk.state == 'applied' then
    return '▔', 'PilotfishSignDelete'
  elseif hunk.state == 'proposed' then
    return '┊', hunk.kind == 'delete' and 'PilotfishSignDelete' or 'PilotfishSignAdd'
  end
  return '▎', 'PilotfishSignAdd'
end

--- How the lines of a hunk are tinted.
---@param hunk pilotfish.Hunk
---@return string?
local function tint(hunk)
  if hunk.state == 'applied' then
    return 'PilotfishAdd'
  end
  return hunk.state == 'proposed' and 'PilotfishDelete' or nil
end

---@param bufnr integer
---@param drawn pilotfish.Drawn
---@param row integer
---@param column integer
---@param options vim.api.keyset.set_extmark
local function add(bufnr, drawn, row, column, options)
  options.strict = false
  table.insert(drawn.paint, vim.api.nvim_buf_set_extmark(bufnr, paint, row, column, options))
end

--- Draws the lines that are not in the text: what was there above what is there, what would be there below.
---@param bufnr integer
---@param drawn pilotfish.Drawn
---@param first integer
---@param last integer
---@param coloured boolean
local function put_ghost(bufnr, drawn, first, last, coloured)
  local lines = ghost.lines(bufnr, drawn.hunk, coloured)
  if #lines == 0 then
    return
  end
  local count = vim.api.nvim_buf_line_count(bufnr)
  local above = drawn.hunk.state == 'applied' or first == last
  local row = above and first or last - 1
  if row >= count then
    row, above = count - 1, false
  end
  drawn.ghost = vim.api.nvim_buf_set_extmark(bufnr, paint, row, 0, {
    id = drawn.ghost,
    virt_lines = lines,
    virt_lines_above = above,
  })
end

--- What is seen without looking at a single line: its extent, its first sign, and what takes room.
---@param bufnr integer
---@param hunk pilotfish.Hunk
---@param how pilotfish.Manner
---@return pilotfish.Drawn
local function put(bufnr, hunk, how)
  M.work.placed = M.work.placed + 1
  local count = vim.api.nvim_buf_line_count(bufnr)
  local first, last = extent(hunk)
  first, last = math.min(first, count), math.min(last, count)
  local is_behind = first == count
  local row = is_behind and count - 1 or first
  local group = how.diff == 'inline' and last > first and tint(hunk) or nil
  local drawn = { hunk = hunk, paint = {}, is_behind = is_behind }
  drawn.mark = vim.api.nvim_buf_set_extmark(bufnr, anchors, row, 0, {
    end_row = math.max(last, row),
    end_col = 0,
    hl_group = group,
    hl_eol = true,
    priority = group and how.priorities[group] or BELOW,
    strict = false,
    virt_text = hunk.state == 'conflict' and { { ' yours changed here too', 'PilotfishConflict' } } or nil,
  })
  if how.diff ~= 'none' then
    local text, sign_group = sign(hunk)
    -- A mark of its own, since one that spans lines would put it on the line behind them too.
    add(bufnr, drawn, row, 0, { sign_text = is_behind and '▁' or text, sign_hl_group = sign_group })
  end
  if how.diff == 'inline' then
    put_ghost(bufnr, drawn, first, last, false)
  end
  return drawn
end

---@param bufnr integer
---@param drawn pilotfish.Drawn
local function remove(bufnr, drawn)
  vim.api.nvim_buf_del_extmark(bufnr, anchors, drawn.mark)
  for _, mark in ipairs(vim.list_extend({ drawn.ghost }, drawn.paint)) do
    vim.api.nvim_buf_del_extmark(bufnr, paint, mark)
  end
end

--- Whether what is drawn still says the same.
---@param place pilotfish.Place
---@param hunk pilotfish.Hunk
---@param count integer the lines of the text
---@return boolean
local function is_same(place, hunk, count)
  local old = place.hunk
  if old.state ~= hunk.state or old.oldText ~= hunk.oldText or old.newText ~= hunk.newText then
    return false
  end
  local first, last = extent(hunk)
  return place.first == math.min(first, count)
    and place.last == math.min(last, count)
    and vim.deep_equal(old.userLines, hunk.userLines)
end

--- Where hunks begin above the first line of a text, a window at the top shows them.
---@param bufnr integer
---@param window integer
local function show_top(bufnr, window)
  local height = 0
  for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(bufnr, paint, { 0, 0 }, { 0, -1 }, { details = true })) do
    height = height + (mark[4].virt_lines_above and #mark[4].virt_lines or 0)
  end
  if height == 0 then
    return
  end
  vim.api.nvim_win_call(window, function()
    local view = vim.fn.winsaveview()
    local room = vim.api.nvim_win_get_height(window) - vim.fn.winline()
    if view.topline == 1 and view.topfill < height and room >= height then
      vim.fn.winrestview({ topline = 1, topfill = height })
    end
  end)
end

---@param bufnr integer
local function show_tops(bufnr)
  for _, window in ipairs(sheets[bufnr] and vim.fn.win_findbuf(bufnr) or {}) do
    show_top(bufnr, window)
  end
end

--- Draws these hunks in a buffer and no others. What is drawn and still so is left alone.
---@param bufnr integer
---@param hunks pilotfish.Hunk[]
function M.show(bufnr, hunks)
  if not sheets[bufnr] and #hunks == 0 then
    return
  end
  sheets[bufnr] = sheets[bufnr] or {}
  local count = vim.api.nvim_buf_line_count(bufnr)
  local known = {}
  local places, found = between(bufnr, 0, -1)
  for index, place in ipairs(places) do
    known[place.hunk.id] = { place = place, drawn = found[index] }
  end
  local sheet, fresh = {}, {}
  for _, hunk in ipairs(hunks) do
    local old = known[hunk.id]
    if old and is_same(old.place, hunk, count) then
      old.drawn.hunk = hunk
      sheet[old.drawn.mark] = old.drawn
      known[hunk.id] = nil
    else
      table.insert(fresh, hunk)
    end
  end
  for _, old in pairs(known) do
    remove(bufnr, old.drawn)
  end
  local how = manner(bufnr)
  for _, hunk in ipairs(fresh) do
    local drawn = put(bufnr, hunk, how)
    sheet[drawn.mark] = drawn
  end
  sheets[bufnr] = #hunks > 0 and sheet or nil
  show_tops(bufnr)
  require('pilotfish.hint').show(bufnr)
end

--- Draws the hunks of a buffer anew, for what else decides how they look has changed.
---@param bufnr integer
function M.redraw(bufnr)
  local hunks = vim.tbl_map(function(place)
    return place.hunk
  end, M.places(bufnr))
  M.show(bufnr, {})
  M.show(bufnr, hunks)
end

--- Puts signs and words on lines of a hunk.
---@param bufnr integer
---@param drawn pilotfish.Drawn
---@param how pilotfish.Manner
---@param start integer the line the hunk begins at
---@param first integer
---@param last integer
local function dress_lines(bufnr, drawn, how, start, first, last)
  local hunk = drawn.hunk
  local text, group = sign(hunk)
  for row = math.max(first, start + 1), last - 1 do
    add(bufnr, drawn, row, 0, { sign_text = text, sign_hl_group = group })
  end
  if hunk.state ~= 'applied' or how.diff ~= 'inline' then
    return
  end
  local offset = start - hunk.newRange.start
  for _, line in ipairs(hunk.userLines) do
    local row = line + offset
    if row >= first and row < last then
      local priority = how.priorities.PilotfishChange + 1
      add(bufnr, drawn, row, 0, { end_row = row + 1, hl_group = 'PilotfishChange', hl_eol = true, priority = priority })
    end
  end
  for _, span in ipairs(hunk.spans) do
    local row = span.line + offset
    if row >= first and row < last then
      local line = vim.api.nvim_buf_get_lines(bufnr, row, row + 1, false)[1] or ''
      local from, to = columns.bytes(line, span.start), columns.bytes(line, span['end'])
      -- A line of which nothing was there before says so by its tint alone.
      if from > 0 or to < #line then
        local priority = math.max(how.priorities.PilotfishText, how.priorities.PilotfishAdd) + 2
        add(bufnr, drawn, row, from, { end_row = row, end_col = to, hl_group = 'PilotfishText', priority = priority })
      end
    end
  end
end

--- Gives a hunk that is seen its colours, signs and words.
---@param bufnr integer
---@param drawn pilotfish.Drawn
---@param place pilotfish.Place
---@param how pilotfish.Manner
---@param top integer
---@param bottom integer
local function dress(bufnr, drawn, place, how, top, bottom)
  M.work.dressed = M.work.dressed + 1
  local start = place.first
  local first, last = math.max(top, start), math.max(math.min(bottom, place.last), start)
  local seen = drawn.seen or { first = first - start, last = first - start }
  dress_lines(bufnr, drawn, how, start, first, math.min(last, start + seen.first))
  dress_lines(bufnr, drawn, how, start, math.max(first, start + seen.last), last)
  if not drawn.seen and how.diff == 'inline' then
    put_ghost(bufnr, drawn, place.first, place.last, true)
  end
  drawn.seen = { first = math.min(first - start, seen.first), last = math.max(last - start, seen.last) }
end

--- Whether lines of a hunk between two have not been drawn whole.
---@param drawn pilotfish.Drawn
---@param place pilotfish.Place
---@param top integer
---@param bottom integer
---@return boolean
local function is_bare(drawn, place, top, bottom)
  local seen = drawn.seen
  return not seen
    or place.first + seen.first > math.max(top, place.first)
    or place.first + seen.last < math.min(bottom, place.last)
end

---@param bufnr integer
---@param top integer
---@param bottom integer
---@return boolean
local function has_bare(bufnr, top, bottom)
  local places, found = between(bufnr, { top, 0 }, { bottom, -1 })
  for index, place in ipairs(places) do
    if is_bare(found[index], place, top, bottom) then
      return true
    end
  end
  return false
end

---@param bufnr integer
---@param top integer
---@param bottom integer
local function dress_seen(bufnr, top, bottom)
  if not vim.api.nvim_buf_is_loaded(bufnr) or not sheets[bufnr] then
    return
  end
  local how = manner(bufnr)
  local places, found = between(bufnr, { top, 0 }, { bottom, -1 })
  for index, place in ipairs(places) do
    if how.diff ~= 'none' and is_bare(found[index], place, top, bottom) then
      dress(bufnr, found[index], place, how, top, bottom)
    end
  end
end

--- Draws whatever is shown from now on.
function M.follow()
  vim.api.nvim_set_decoration_provider(anchors, {
    on_win = function(_, _, bufnr, top, bottom)
      if sheets[bufnr] and has_bare(bufnr, top, bottom) then
        vim.schedule(function() dress_seen(bufnr, math.max(0, top - MARGIN), bottom + MARGIN) end)
      end
      return false
    end,
  })
  events.on('BufWinEnter', function(event) show_tops(event.buf) end)
  events.on('WinScrolled', function()
    for name, scrolled in pairs(vim.v.event) do
      local window = tonumber(name)
      -- A jump to the top, not a step of scrolling, which shows such lines one by one.
      local jumped = window and vim.api.nvim_win_is_valid(window) and scrolled.topline < 0
        and (scrolled.topline < -1 or vim.api.nvim_win_get_cursor(window)[1] == 1)
      if jumped then
        show_top(vim.api.nvim_win_get_buf(window), window)
      end
    end
  end)
  events.on({ 'ColorScheme', 'VimResized' }, function() vim.iter(vim.tbl_keys(sheets)):each(M.redraw) end)
  events.on('BufUnload', function(event) sheets[event.buf] = nil end)
end

return M
