-- Claims the next fetch, or reads the shared result.
-- KEYS[1]  hash of the account
-- ARGV     operation: claim, read, or probe, which reads and shows that Redis can be written
--          token of the claim
--          age in ms below which an answer serves
--          length of the lease in ms
--          retention of the hash in ms
-- Returns  status: shared (the result serves), granted, held (by another replica), read
--          time in ms, rest of the lease in ms
--          id of the result, answer, time of its arrival, failure, its time, end of the cool-down
local key = KEYS[1]
local operation, token, max_age, lease, retention =
  ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local max_lease = 60000

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stored = redis.call('HMGET', key,
  'id', 'answer', 'answeredAt', 'failure', 'failedAt', 'cooldownEnd', 'leaseEnd')
local answered_at, failed_at = tonumber(stored[3]), tonumber(stored[5])
local cooldown_end, lease_end = tonumber(stored[6]), tonumber(stored[7])

-- What lies in the future was written before the clock went back
local cooling = failed_at and failed_at <= now and cooldown_end and now < cooldown_end
local fresh = not stored[4] and answered_at and answered_at <= now and now - answered_at < max_age
local held = lease_end and now < lease_end and lease_end - now <= max_lease

local status = 'read'
if cooling or fresh then
  status = 'shared'
elseif operation == 'claim' and held then
  status = 'held'
elseif operation == 'claim' then
  status = 'granted'
  lease_end = now + lease
  redis.call('HSET', key, 'holder', token, 'leaseEnd', lease_end)
  redis.call('PEXPIRE', key, retention)
end
if operation == 'probe' then
  redis.call('HSET', key, 'probedAt', now)
  if redis.call('PTTL', key) < 0 then
    redis.call('PEXPIRE', key, retention)
  end
end
return { status, now, lease_end and math.max(0, lease_end - now) or 0,
  stored[1], stored[2], stored[3], stored[4], stored[5], stored[6] }
