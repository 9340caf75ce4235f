--- Draws hunks over the real text, of which it changes nothing: marks that the editor moves along with what is typed. What takes room
--- on the screen is put there at once, so that nothing jumps; colours, signs and changed words follow for the lines that are seen.
local columns = require('pilotfish.columns')
local config = require('pilotfish.config')
local ghost = require('pilotfish.ghost')

local M = {}

--- Lines above and below the window that are drawn along with it.
local MARGIN = 40
--- Below what the editor's own parsers colour, so that code keeps its colours.
local PRIORITY = 90

local places_of = vim.api.nvim_create_namespace('pilotfish.places')
local hint_of = vim.api.nvim_create_namespace('pilotfish.hint')

--- A hunk and its marks.
---@class pilotfish.Drawn
---@field hunk pilotfish.Hunk
---@field mark integer Spans its lines.
---@field is_behind boolean It is behind the last line, and marked on that.
---@field ghost? integer Holds the lines that are not in the text.
---@field extras integer[] Signs, changed words.
---@field seen? {first: integer, last: integer} The lines that have their signs, counted from the hunk's first.

--- A hunk where it is now: lines from 0, `last` behind it.
---@class pilotfish.Place
---@field hunk pilotfish.Hunk
---@field first integer
---@field last integer

---@class pilotfish.Sheet
---@field drawn table<integer, pilotfish.Drawn> By the mark.
---@field hinted? string What the hint says, and where.

---@type table<integer, pilotfish.Sheet>
local sheets = {}

--- How much was drawn since the start, for tests of how little is.
M.work = { placed = 0, dressed = 0 }

---@param hunk pilotfish.Hunk
---@return integer first, integer last
local function extent(hunk)
  local range = hunk.state == 'applied' and hunk.newRange or hunk.oldRange
  return range.start, range['end']
end

---@param bufnr integer
---@param drawn pilotfish.Drawn
---@return integer first, integer last
local function position(bufnr, drawn)
  local mark = vim.api.nvim_buf_get_extmark_by_id(bufnr, places_of, drawn.mark, { details = true })
  local row, details = mark[1] or 0, mark[3] or {}
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

--- The hunks of a buffer in the order of its text.
---@param bufnr integer
---@return pilotfish.Place[]
function M.places(bufnr)
  bufnr = bufnr == 0 and vim.api.nvim_get_current_buf() or bufnr
  local sheet = sheets[bufnr]
  if not sheet then
    return {}
  end
  local found = {}
  for _, drawn in pairs(sheet.drawn) do
    local first, last = position(bufnr, drawn)
    table.insert(found, { hunk = drawn.hunk, first = first, last = last })
  end
  table.sort(found, function(a, b)
    if a.first ~= b.first then
      return a.first < b.first
    end
    return a.last ~= b.last and a.last < b.last or a.last == b.last and a.hunk.id < b.hunk.id
  end)
  return found
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
  if config.get('diff') ~= 'inline' or hunk.state == 'conflict' then
    return nil
  end
  return hunk.state == 'applied' and 'PilotfishAdd' or 'PilotfishDelete'
end

---@param drawn pilotfish.Drawn
---@param bufnr integer
---@param first integer
---@param last integer
local function put_ghost(drawn, bufnr, first, last)
  local lines = config.get('diff') == 'inline' and ghost.lines(bufnr, drawn.hunk, drawn.seen ~= nil) or {}
  if #lines == 0 then
    return
  end
  local count = vim.api.nvim_buf_line_count(bufnr)
  -- What was there stands above what is there; what would be there stands below.
  local above = drawn.hunk.state == 'applied' or first == last
  local row = above and first or last - 1
  if row >= count then
    row, above = count - 1, false
  end
  drawn.ghost = vim.api.nvim_buf_set_extmark(bufnr, places_of, row, 0, {
    id = drawn.ghost,
    virt_lines = lines,
    virt_lines_above = above,
    priority = PRIORITY,
  })
end

---@param bufnr integer
---@param drawn pilotfish.Drawn
---@param row integer
---@param column integer
---@param options vim.api.keyset.set_extmark
local function add(bufnr, drawn, row, column, options)
  options.strict = false
  table.insert(drawn.extras, vim.api.nvim_buf_set_extmark(bufnr, places_of, row, column, options))
end

--- What is seen without looking at a single line: its extent, its first sign, and what takes room.
---@param bufnr integer
---@param hunk pilotfish.Hunk
---@return pilotfish.Drawn
local function put(bufnr, hunk)
  M.work.placed = M.work.placed + 1
  local count = vim.api.nvim_buf_line_count(bufnr)
  local first, last = extent(hunk)
  first, last = math.min(first, count), math.min(last, count)
  local is_behind = first == count
  local row = is_behind and count - 1 or first
  local drawn = { hunk = hunk, extras = {}, is_behind = is_behind }
  drawn.mark = vim.api.nvim_buf_set_extmark(bufnr, places_of, row, 0, {
    end_row = math.max(last, row),
    end_col = 0,
    hl_group = last > first and tint(hunk) or nil,
    hl_eol = true,
    priority = PRIORITY,
    strict = false,
    virt_text = hunk.state == 'conflict' and { { ' yours changed here too', 'PilotfishConflict' } } or nil,
  })
  if config.get('diff') ~= 'none' then
    local text, group = sign(hunk)
    -- A mark of its own, since one that spans lines would put it on the line behind them too.
    add(bufnr, drawn, row, 0, { sign_text = is_behind and '▁' or text, sign_hl_group = group, priority = PRIORITY })
  end
  put_ghost(drawn, bufnr, first, last)
  return drawn
end

---@param bufnr integer
---@param drawn pilotfish.Drawn
local function remove(bufnr, drawn)
  vim.api.nvim_buf_del_extmark(bufnr, places_of, drawn.mark)
  if drawn.ghost then
    vim.api.nvim_buf_del_extmark(bufnr, places_of, drawn.ghost)
  end
  for _, mark in ipairs(drawn.extras) do
    vim.api.nvim_buf_del_extmark(bufnr, places_of, mark)
  end
end

--- Whether what is drawn still says the same.
---@param bufnr integer
---@param drawn pilotfish.Drawn
---@param hunk pilotfish.Hunk
---@return boolean
local function is_same(bufnr, drawn, hunk)
  local old = drawn.hunk
  if old.state ~= hunk.state or old.oldText ~= hunk.oldText or old.newText ~= hunk.newText then
    return false
  end
  local first, last = position(bufnr, drawn)
  local wanted_first, wanted_last = extent(hunk)
  local end_of_text = vim.api.nvim_buf_line_count(bufnr)
  return first == math.min(wanted_first, end_of_text)
    and last == math.min(wanted_last, end_of_text)
    and vim.deep_equal(old.userLines, hunk.userLines)
end

--- Where hunks begin above the first line of a text, windows at the top show them.
---@param bufnr integer
---@param window integer
local function show_top(bufnr, window)
  local sheet = sheets[bufnr]
  local height = 0
  for _, drawn in pairs(sheet and sheet.drawn or {}) do
    if drawn.ghost then
      local mark = vim.api.nvim_buf_get_extmark_by_id(bufnr, places_of, drawn.ghost, { details = true })
      if mark[1] == 0 and mark[3].virt_lines_above then
        height = height + #mark[3].virt_lines
      end
    end
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
---@param sheet pilotfish.Sheet
local function hint(bufnr, sheet)
  if vim.api.nvim_get_current_buf() ~= bufnr or config.get('diff') == 'none' then
    return
  end
  local row = vim.api.nvim_win_get_cursor(0)[1] - 1
  local places = M.places(bufnr)
  local said
  for number, place in ipairs(places) do
    if M.covers(bufnr, place, row) then
      local verbs = { applied = 'keep|undo', proposed = 'accept|reject', conflict = 'reject' }
      said = { math.max(M.row(bufnr, place), vim.fn.line('w0') - 1), ('%d/%d %s'):format(number, #places, verbs[place.hunk.state]) }
    end
  end
  local key = said and table.concat(said, ' ')
  if key == sheet.hinted then
    return
  end
  sheet.hinted = key
  vim.api.nvim_buf_clear_namespace(bufnr, hint_of, 0, -1)
  if said then
    vim.api.nvim_buf_set_extmark(bufnr, hint_of, said[1], 0, {
      virt_text = { { said[2], 'PilotfishHint' } },
      virt_text_pos = 'right_align',
      hl_mode = 'combine',
    })
  end
end

--- Draws these hunks in a buffer and no others.
---@param bufnr integer
---@param hunks pilotfish.Hunk[]
function M.show(bufnr, hunks)
  local sheet = sheets[bufnr]
  if not sheet then
    if #hunks == 0 then
      return
    end
    sheet = { drawn = {} }
    sheets[bufnr] = sheet
  end
  local known = {}
  for _, drawn in pairs(sheet.drawn) do
    known[drawn.hunk.id] = drawn
  end
  local wanted = {}
  for _, hunk in ipairs(hunks) do
    local drawn = known[hunk.id]
    if drawn and is_same(bufnr, drawn, hunk) then
      drawn.hunk = hunk
      known[hunk.id] = nil
      wanted[drawn.mark] = drawn
    end
  end
  for _, drawn in pairs(known) do
    remove(bufnr, drawn)
  end
  local ids = {}
  for _, drawn in pairs(wanted) do
    ids[drawn.hunk.id] = true
  end
  for _, hunk in ipairs(hunks) do
    if not ids[hunk.id] then
      local drawn = put(bufnr, hunk)
      wanted[drawn.mark] = drawn
    end
  end
  sheet.drawn = wanted
  sheet.hinted = nil
  vim.api.nvim_buf_clear_namespace(bufnr, hint_of, 0, -1)
  hint(bufnr, sheet)
  for _, window in ipairs(vim.fn.win_findbuf(bufnr)) do
    show_top(bufnr, window)
  end
  if #hunks == 0 then
    sheets[bufnr] = nil
  end
end

--- Puts signs and words on lines of a hunk.
---@param bufnr integer
---@param drawn pilotfish.Drawn
---@param start integer the line the hunk begins at
---@param first integer
---@param last integer
local function dress_lines(bufnr, drawn, start, first, last)
  local hunk = drawn.hunk
  local text, group = sign(hunk)
  for row = math.max(first, start + 1), last - 1 do
    add(bufnr, drawn, row, 0, { sign_text = text, sign_hl_group = group, priority = PRIORITY })
  end
  if hunk.state ~= 'applied' or config.get('diff') ~= 'inline' then
    return
  end
  local offset = start - hunk.newRange.start
  for _, line in ipairs(hunk.userLines) do
    local row = line + offset
    if row >= first and row < last then
      add(bufnr, drawn, row, 0, { end_row = row + 1, hl_group = 'PilotfishChange', hl_eol = true, priority = PRIORITY + 1 })
    end
  end
  for _, span in ipairs(hunk.spans) do
    local row = span.line + offset
    if row >= first and row < last then
      local line = vim.api.nvim_buf_get_lines(bufnr, row, row + 1, false)[1] or ''
      local from, to = columns.bytes(line, span.start), columns.bytes(line, span['end'])
      -- A line of which nothing was there before says so by its tint alone.
      if from > 0 or to < #line then
        add(bufnr, drawn, row, from, { end_row = row, end_col = to, hl_group = 'PilotfishText', priority = PRIORITY + 2 })
      end
    end
  end
end

--- Gives a hunk that is seen its colours, signs and words.
---@param bufnr integer
---@param drawn pilotfish.Drawn
---@param top integer
---@param bottom integer
local function dress(bufnr, drawn, top, bottom)
  local start, stop = position(bufnr, drawn)
  local first, last = math.max(top, start), math.min(bottom, stop)
  local seen = drawn.seen
  drawn.seen = { first = math.min(first - start, seen and seen.first or math.huge), last = math.max(last - start, seen and seen.last or 0) }
  M.work.dressed = M.work.dressed + 1
  if not seen then
    put_ghost(drawn, bufnr, start, stop)
    dress_lines(bufnr, drawn, start, first, last)
  else
    dress_lines(bufnr, drawn, start, first, math.min(last, start + seen.first))
    dress_lines(bufnr, drawn, start, math.max(first, start + seen.last), last)
  end
end

---@param bufnr integer
---@param top integer
---@param bottom integer
---@return pilotfish.Drawn[]
local function bare(bufnr, top, bottom)
  local sheet = sheets[bufnr]
  local found = {}
  local marks = vim.api.nvim_buf_get_extmarks(bufnr, places_of, { top, 0 }, { bottom, -1 }, { overlap = true, details = true })
  for _, mark in ipairs(marks) do
    local drawn = sheet.drawn[mark[1]]
    if drawn then
      local first, last = mark[2], mark[4].end_row or mark[2]
      local seen = drawn.seen
      if not seen or first + seen.first > math.max(top, first) or first + seen.last < math.min(bottom, last) then
        table.insert(found, drawn)
      end
    end
  end
  return found
end

--- Draws from now on whatever is shown.
function M.follow()
  vim.api.nvim_set_decoration_provider(places_of, {
    on_win = function(_, _, bufnr, top, bottom)
      if sheets[bufnr] and config.get('diff') ~= 'none' and #bare(bufnr, top, bottom) > 0 then
        vim.schedule(function()
          if vim.api.nvim_buf_is_loaded(bufnr) and sheets[bufnr] then
            local first, last = math.max(0, top - MARGIN), bottom + MARGIN
            for _, drawn in ipairs(bare(bufnr, first, last)) do
              dress(bufnr, drawn, first, last)
            end
          end
        end)
      end
      return false
    end,
  })
  local group = vim.api.nvim_create_augroup('pilotfish.draw', {})
  vim.api.nvim_create_autocmd({ 'CursorMoved', 'CursorMovedI', 'BufEnter' }, {
    group = group,
    callback = function(event)
      if sheets[event.buf] then
        hint(event.buf, sheets[event.buf])
      end
    end,
  })
  vim.api.nvim_create_autocmd('BufWinEnter', {
    group = group,
    callback = function(event)
      for _, window in ipairs(sheets[event.buf] and vim.fn.win_findbuf(event.buf) or {}) do
        show_top(event.buf, window)
      end
    end,
  })
  vim.api.nvim_create_autocmd('WinScrolled', {
    group = group,
    callback = function()
      for name, scrolled in pairs(vim.v.event) do
        local window = tonumber(name)
        if window and scrolled.topline < 0 and vim.api.nvim_win_is_valid(window) then
          show_top(vim.api.nvim_win_get_buf(window), window)
        end
      end
    end,
  })
  vim.api.nvim_create_autocmd({ 'BufUnload' }, {
    group = group,
    callback = function(event)
      sheets[event.buf] = nil
    end,
  })
end

return M
