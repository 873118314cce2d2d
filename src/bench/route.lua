-- Route traffic for wrk: no two requests are identical. `wrk … URL -- route-headers.txt`
-- Repeated strings are created once; a request is one concatenation.
local threads = 0

function setup(thread)
  thread:set("first", threads * 4096)
  threads = threads + 1
end

local halves = {}
local parts = {}
local highs, lows = {}, {}
local high, low = 0, 0

function init(args)
  for i = 0, 65535 do
    halves[i] = string.format("%04x", i)
  end
  local lines = { "GET " .. wrk.path .. " HTTP/1.1", "Host: " .. wrk.headers["Host"] }
  for line in io.lines(args[1]) do
    lines[#lines + 1] = line
  end
  local text = table.concat(lines, "\r\n") .. "\r\n\r\n"
  text = text:gsub("@SEED@", string.format("%08x", os.time()))
  local from = 1
  while true do
    local start, stop, name = text:find("@(%u+)@", from)
    parts[#parts + 1] = text:sub(from, (start or 0) - 1)
    if not start then
      break
    end
    parts[#parts + 1] = ""
    local places = name == "HIGH" and highs or lows
    places[#places + 1] = #parts
    from = stop + 1
  end
  high = first
end

function request()
  low = low + 1
  if low == 65536 then
    low = 0
    high = high + 1
  end
  local h, l = halves[high], halves[low]
  for i = 1, #highs do
    parts[highs[i]] = h
  end
  for i = 1, #lows do
    parts[lows[i]] = l
  end
  return table.concat(parts)
end
