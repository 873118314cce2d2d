-- Requests of which no two are alike, as callers send them who trace each one.
local count = 0

function request()
  count = count + 1
  return wrk.format("GET", nil, { ["X-Request-Id"] = count })
end
