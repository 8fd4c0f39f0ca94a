-- Owns the renewal of the certificate in a running HAProxy: when the file changes, new connections get the new certificate. No
-- process is replaced, so connections and streams continue. HAProxy itself refuses a file that it can't use (`commit ssl cert`
-- checks that key and certificate belong together, which Lua's own CertCache.set does not), and keeps the certificate that it has.
-- A certificate for another host is refused here: because of `strict-sni` every handshake would fail with it.
local CERTIFICATE = os.getenv('CERTIFICATE')
-- As in haproxy.cfg.
local SOCKET = '/run/gateway/admin.sock'
local EVERY_MS = 2000
local HOST = os.getenv('PUBLIC_URL'):lower():match('^%w+://([^/:]+)')
-- RFC 9525 §6.3: the first label of a name may be a wildcard.
local WILDCARD = HOST:gsub('^[^.]+', '*')

-- The content of the file, or nil and why it can't be read.
local function read()
  local file, reason = io.open(CERTIFICATE)
  if not file then return nil, reason end
  local text = file:read('a')
  file:close()
  return text
end

-- Sends one command to the runtime API and returns its answer on one line; nil: there was none.
local function ask(command)
  local socket = core.tcp()
  socket:settimeout(10)
  if not socket:connect('unix@' .. SOCKET) then return nil end
  socket:send(command .. '\n')
  local answer = socket:receive('*a')
  socket:close()
  return answer and (answer:gsub('%s+', ' '))
end

-- Returns why the certificate that HAProxy shows is none for the public host, or nil.
local function unfit(shown)
  local names = shown:match('Subject Alternative Name: (.-) ?Algorithm:')
  if not names then return 'its names are unknown.' end
  for name in names:lower():gmatch('dns:([^, ]+)') do
    if name == HOST or name == WILDCARD then return nil end
  end
  return 'it does not name ' .. HOST .. '. Its names: ' .. (names == '' and 'none' or names)
end

-- Returns whether the certificate has been judged; otherwise it is tried again.
local function take(text)
  -- An empty line ends the payload of a command.
  local payload = text:gsub('\r', ''):gsub('\n\n+', '\n'):gsub('^\n', '')
  local set = ask('set ssl cert ' .. CERTIFICATE .. ' <<\n' .. payload)
  -- Until it is committed, the new one is known with an asterisk.
  local shown = set and ask('show ssl cert *' .. CERTIFICATE)
  local result = shown and (unfit(shown) or ask('commit ssl cert ' .. CERTIFICATE))
  if not result then return false end
  if result:find('Success!', 1, true) then
    local expiry = (ask('show ssl cert ' .. CERTIFICATE) or ''):match('[Nn]ot[Aa]fter: (.-) Subj') or 'an unknown time'
    core.log(core.notice, 'gateway: new certificate, valid until ' .. expiry)
    return true
  end
  ask('abort ssl cert ' .. CERTIFICATE)
  core.log(core.err, 'gateway: the new certificate is refused, and the one before stays: ' .. set .. ' ' .. result)
  return true
end

core.register_task(function()
  local current, told = read(), nil
  local shown = ask('show ssl cert ' .. CERTIFICATE)
  local reason = shown and unfit(shown)
  if reason then core.log(core.err, 'gateway: no client can connect with the certificate: ' .. reason) end
  while true do
    core.msleep(EVERY_MS)
    local text, reason = read()
    if text and text ~= current then
      if take(text) then current = text else reason = 'the runtime API does not answer' end
    end
    if reason and reason ~= told then
      core.log(core.err, 'gateway: the new certificate is not taken over yet, and the one before stays: ' .. reason)
    end
    told = reason
  end
end)
