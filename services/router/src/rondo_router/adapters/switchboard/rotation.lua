-- Rotation: whose turn it is in a pool, whatever the pool's size.
--
-- A pool is a circle of places, given in the order of joining. A turn is a round and a place in one
-- number: round * ROUND + place. Everybody's next turn is kept; the pool's counter is the turn that
-- was served last. Next is simply the smallest turn among those who may be offered now.
--
--   <ws>:pool:<pool>:rotation  sorted set: who may be offered now, scored by their next turn
--   <ws>:pool:<pool>:turns     hash: everybody's next turn, also of those away or full
--   <ws>:pool:<pool>:places    sorted set: the members, scored by their place
--   <ws>:pool:<pool>:counter   the turn served last
--   <ws>:pool:<pool>:joined    how many places were given
--
-- Invariants: serving moves the counter to the agent who was offered, never back; whoever stayed
-- available gets exactly one turn a round; who was away or full neither owes nor is owed a turn; who
-- was passed over only because they had been tried for this very chat still has their turn.

local ROUND = 1048576 -- places a pool can give: 2^20
local PASSED_OVER_MAX = 20

local function pool_key(ws, pool, part)
  return ws .. ':pool:' .. pool .. ':' .. part
end

local function counter_of(ws, pool)
  return tonumber(redis.call('GET', pool_key(ws, pool, 'counter')) or '0')
end

local function place_of(turn)
  return turn % ROUND
end

local function number(value)
  return string.format('%.0f', value)
end

-- Give the agent a place at the end of the circle, unless they have one.
local function join_pool(ws, pool, agent)
  local turns = pool_key(ws, pool, 'turns')
  local turn = tonumber(redis.call('HGET', turns, agent) or '0')
  if turn == 0 then
    local place = redis.call('INCR', pool_key(ws, pool, 'joined'))
    turn = counter_of(ws, pool) - place_of(counter_of(ws, pool)) + place
    redis.call('HSET', turns, agent, number(turn))
  end
  redis.call('ZADD', pool_key(ws, pool, 'places'), place_of(turn), agent)
end

-- Let the agent be offered chats, from their next turn that is still to come.
local function enter_rotation(ws, pool, agent)
  local turn = tonumber(redis.call('HGET', pool_key(ws, pool, 'turns'), agent))
  local counter = counter_of(ws, pool)
  if redis.call('ZSCORE', pool_key(ws, pool, 'rotation'), agent) then
    return
  end
  if turn <= counter then
    turn = counter - place_of(counter) + place_of(turn)
    if turn <= counter then
      turn = turn + ROUND
    end
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

-- The members whose place lies between the last served and this turn: they were passed over.
local function passed_over(ws, pool, turn, tried)
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
      local reason = tried[agent] and 'already_tried' or 'at_capacity'
      agents[#agents + 1] = { agent_id = agent, reason = reason }
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
