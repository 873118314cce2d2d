-- Publishes the result of a fetch, and releases the lease.
-- KEYS[1]  hash of the account, and name of the channel
-- ARGV     token of the claim, which becomes the id of the result
--          retention of the hash in ms
--          'answer', the answer, time of arrival in ms
--          or 'failure', the failure, its time and the end of the cool-down in ms, 'true' if it invalidates the answer
--          or 'nothing', to release the lease without a result
-- Returns  1, or 0 if the lease has expired
local key, token, retention, kind, value, at = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = redis.call('HMGET', key, 'holder', 'leaseEnd')
local lease_end = tonumber(lease[2])
if lease[1] ~= token or not lease_end or now >= lease_end then
  return 0
end

-- First, since HDEL needs no memory
redis.call('HDEL', key, 'holder', 'leaseEnd')
if kind == 'answer' then
  redis.call('HDEL', key, 'failure', 'failedAt', 'cooldownEnd')
  redis.call('HSET', key, 'id', token, 'answer', value, 'arrivedAt', at)
elseif kind == 'failure' then
  redis.call('HSET', key, 'id', token, 'failure', value, 'failedAt', at, 'cooldownEnd', ARGV[6])
  if ARGV[7] == 'true' then
    redis.call('HDEL', key, 'answer', 'arrivedAt')
  end
end
redis.call('PEXPIRE', key, retention)
redis.call('PUBLISH', key, token)
return 1
