-- Claims the next fetch, or reads the shared result.
-- KEYS[1]  hash of the account, and name of the channel
-- ARGV     operation: claim, read, or probe (read, and also run every command that the fleet uses)
--          token of the claim: replica, colon and number
--          time in ms since arrival below which an answer is new enough
--          length of the lease in ms
--          retention of the hash in ms
--          id of the result when the claim first found another replica's lease; an answer with another id is
--          used regardless of its age
-- Returns  status: shared (the result can be used), granted, held (by another replica), read
--          time in ms, remaining time of the lease in ms
--          id of the result, answer, time of arrival, failure, time of the failure, end of the cool-down
local key = KEYS[1]
local operation, token, max_since_arrival, lease, retention, held_id =
  ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], ARGV[6]
-- FleetTimes.MAX_COOLDOWN in ms
local max_cooldown = 1200000

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stored = redis.call('HMGET', key,
  'id', 'answer', 'arrivedAt', 'failure', 'failedAt', 'cooldownEnd', 'leaseEnd', 'holder')
local id, answer, failure = stored[1], stored[2], stored[4]
local arrived_at, failed_at = tonumber(stored[3]), tonumber(stored[5])
local cooldown_end, lease_end = tonumber(stored[6]), tonumber(stored[7])

-- Times in the future were written before the clock was set back: they are ignored
local cooling = failure and failed_at and failed_at <= now
  and cooldown_end and now < cooldown_end and cooldown_end - now <= max_cooldown
local fresh = answer and not failure and arrived_at and arrived_at <= now and now - arrived_at < max_since_arrival
local joined = answer and not failure and held_id ~= '' and id and id ~= held_id
-- A replica has one claim at a time: another lease of the same replica is abandoned
local replica = string.match(token, '^(.+):')
local abandoned = replica and stored[8] and replica == string.match(stored[8], '^(.+):')
local held = lease_end and now < lease_end and lease_end - now <= lease and not abandoned

local status = 'read'
if cooling or fresh or joined then
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
  redis.call('PEXPIRE', key, retention, 'NX')
  redis.call('HDEL', key, 'probedAt')
  redis.call('PUBLISH', key, 'probe')
end
return { status, now, lease_end and math.max(0, lease_end - now) or 0,
  id, answer, stored[3], failure, stored[5], stored[6] }
