--- Puts the parts together once the editor is to speak to the daemon: who listens to what.
local client = require('pilotfish.client')

local M = {}

local begun = false

--- Registers every listener. It starts nothing.
function M.begin()
  if begun then
    return
  end
  begun = true
  client.follow_buffers()
  require('pilotfish.editor').follow()
  require('pilotfish.edits').follow()
  require('pilotfish.review').follow()
  client.on('daemon/notice', function(params) require('pilotfish.say').say(params.text) end)
  require('pilotfish.session').follow()
end

return M
