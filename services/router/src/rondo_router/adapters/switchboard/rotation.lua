-- Rotation: whose turn it is in a pool, whatever the pool's size.
--
-- A pool is a circle of places, given by the directory in the order of joining. A turn is a round and
-- a place in one number: round * ROUND + place. Everybody's next turn is kept; the pool's counter is the
-- turn that was served last. Next is simply the smallest turn among those who may be offered now.
--
--   <ws>:pool:<pool>:rotation  sorted set: who may be offered now, scored by their next turn
--   <ws>:pool:<pool>:turns     hash: everybody's next turn, also of those away or full
--   <ws>:pool:<pool>:places    sorted set: the members, scored by their place
--   <ws>:pool:<pool>:counter   the turn served last
--   <ws>:pools                 set: the names of all pools
--   <ws>:agent:<id>:pools      set: the pools an agent is in
--
-- Invariants: serving moves the counter to the agent who was offered, never back; whoever stayed
-- available gets exactly one turn a round; who was away or full neither owes nor is owed a turn; who
-- was passed over only because they had been tried for this very chat still has their turn.

local ALL = 'all' -- The pool of all live-chat agents.
local ROUND = 1048576 -- places a pool can give: 2^20
local PASSED_OVER_MAX = 20

local function pool_key(ws, pool, part)
  return ws .. ':pool:' .. pool .. ':' .. part
end

local function pools_of(ws, agent)
  return redis.call('SMEMBERS', ws .. ':agent:' .. agent .. ':pools')
end

local function counter_of(ws, pool)
  return tonumber(redis.call('GET', pool_key(ws, pool, 'counter')) or '0')
end

local function place_of(turn)
  return turn % ROUND
end

-- The first turn of this place that is still to come.
local function turn_to_come(counter, place)
  local turn = counter - place_of(counter) + place
  return turn > counter and turn or turn + ROUND
end

local function is_member(ws, pool, agent)
  return redis.call('ZSCORE', pool_key(ws, pool, 'places'), agent) and true or false
end

-- Give the agent their place in the circle. Their next turn stays, if they were here before; at another
-- place they have another turn, and enter the rotation anew.
local function join_pool(ws, pool, agent, place)
  redis.call('ZADD', pool_key(ws, pool, 'places'), place, agent)
  redis.call('SADD', ws .. ':agent:' .. agent .. ':pools', pool)
  redis.call('SADD', ws .. ':pools', pool)
  local turns = pool_key(ws, pool, 'turns')
  local turn = tonumber(redis.call('HGET', turns, agent) or '0')
  if turn == 0 or place_of(turn) ~= tonumber(place) then
    redis.call('HSET', turns, agent, number(turn_to_come(counter_of(ws, pool), place)))
    redis.call('ZREM', pool_key(ws, pool, 'rotation'), agent)
  end
end

-- Take the agent out of the circle for now: they keep their place and their turn.
local function leave_circle(ws, pool, agent)
  redis.call('ZREM', pool_key(ws, pool, 'rotation'), agent)
  redis.call('ZREM', pool_key(ws, pool, 'places'), agent)
  redis.call('SREM', ws .. ':agent:' .. agent .. ':pools', pool)
end

-- The agent is no member any more: should they join again, they are new.
local function leave_pool(ws, pool, agent)
  leave_circle(ws, pool, agent)
  redis.call('HDEL', pool_key(ws, pool, 'turns'), agent)
end

-- Let the agent be offered chats, from their next turn that is still to come.
local function enter_rotation(ws, pool, agent)
  if redis.call('ZSCORE', pool_key(ws, pool, 'rotation'), agent) then
    return
  end
  local turn = tonumber(redis.call('HGET', pool_key(ws, pool, 'turns'), agent))
  local counter = counter_of(ws, pool)
  if turn <= counter then
    turn = turn_to_come(counter, place_of(turn))
    redis.call('HSET', pool_key(ws, pool, 'turns'), agent, number(turn))
  end
  redis.call('ZADD', pool_key(ws, pool, 'rotation'), number(turn), agent)
end

local function leave_rotation(ws, pool, agent)
  redis.call('ZREM', pool_key(ws, pool, 'rotation'), agent)
end

-- The agent whose turn it is, leaving out those already tried, with their turn; or nil.
local function whose_turn(ws, pool, tried)
  local tried_count = 0
  for _ in pairs(tried) do tried_count = tried_count + 1 end
  local first = redis.call('ZRANGE', pool_key(ws, pool, 'rotation'), 0, tried_count, 'WITHSCORES')
  for i = 1, #first, 2 do
    if not tried[first[i]] then
      return first[i], tonumber(first[i + 1])
    end
  end
  return nil
end

-- The turn on which an agent who may be offered chats would be served next.
local function turn_of(ws, pool, agent)
  return tonumber(redis.call('ZSCORE', pool_key(ws, pool, 'rotation'), agent))
end

-- The members whose place lies between the last served and this turn (all of them without a turn), and
-- how many they are. why_not(agent) says why each was passed over.
local function passed_over(ws, pool, turn, why_not)
  local places = pool_key(ws, pool, 'places')
  local counter = counter_of(ws, pool)
  local ranges
  if turn == nil then
    ranges = { { '-inf', '+inf' } }
  elseif turn <= counter then
    ranges = {} -- A turn that was kept for them: nobody came before.
  elseif place_of(turn) > place_of(counter) then
    ranges = { { '(' .. place_of(counter), '(' .. place_of(turn) } }
  else
    ranges = { { '(' .. place_of(counter), '+inf' }, { '-inf', '(' .. place_of(turn) } }
  end
  local agents, count = {}, 0
  for _, range in ipairs(ranges) do
    count = count + redis.call('ZCOUNT', places, range[1], range[2])
    local room = PASSED_OVER_MAX - #agents
    for _, agent in ipairs(redis.call('ZRANGEBYSCORE', places, range[1], range[2], 'LIMIT', 0, room)) do
      agents[#agents + 1] = { agent_id = agent, reason = why_not(agent) }
    end
  end
  return agents, count
end

-- The agent was offered a chat on this turn: their next one is a round later.
local function serve_turn(ws, pool, agent, turn)
  redis.call('HSET', pool_key(ws, pool, 'turns'), agent, number(turn + ROUND))
  redis.call('ZADD', pool_key(ws, pool, 'rotation'), number(turn + ROUND), agent)
  if turn > counter_of(ws, pool) then
    redis.call('SET', pool_key(ws, pool, 'counter'), number(turn))
  end
end
