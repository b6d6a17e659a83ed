-- GET /<slug>. Arguments: slug prefix, number of links, law (one | zipf), visitors (none | mix | unique),
-- share of requests for slugs that don't exist (0 to 1), folder with the lists of user agents and referrers.
-- Slugs are those of `npm run seed`: the prefix and the link's number in seven digits.

local prefix, links, law, visitors, unknown_share, folder
local user_agents, referrers = {}, {}
local random, floor, format = math.random, math.floor, string.format

local function read_lines(name, into)
  for line in io.lines(folder .. '/' .. name) do into[#into + 1] = line end
end

function init(args)
  prefix, links, law, visitors = args[1], tonumber(args[2]), args[3], args[4]
  unknown_share, folder = tonumber(args[5]), args[6]
  math.randomseed(os.time() + (os.clock() * 1e6) % 1e6)
  read_lines('user-agents.txt', user_agents)
  read_lines('referrers.txt', referrers)
end

-- Zipf's law with exponent 1, as a rounded log-uniform draw from 1 to count.
local function rank(count)
  local drawn = floor(0.5 * (2 * count + 1) ^ random() + 0.5)
  if drawn < 1 then return 1 elseif drawn > count then return count end
  return drawn
end

local function slug()
  if unknown_share > 0 and random() < unknown_share then return format('x%09d', random(999999999)) end
  if law == 'one' then return prefix .. '0000001' end
  return prefix .. format('%07d', (rank(links) * 611953) % links + 1)
end

local function headers()
  if visitors == 'none' then return '' end
  if visitors == 'unique' then
    return format('User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.%d.%d.%d Safari/537.36\r\nReferer: https://www.example.org/search/results/%09d%09d\r\n',
      random(999), random(9999), random(9999), random(9999), random(999999999), random(999999999))
  end
  local user_agent = user_agents[rank(#user_agents)]:gsub('{n}', tostring(rank(60)))
  local text = 'User-Agent: ' .. user_agent .. '\r\n'
  if random() < 0.55 then
    local referrer = referrers[rank(#referrers)]:gsub('{n}', tostring(rank(1000)))
    text = text .. 'Referer: ' .. referrer .. '\r\n'
  end
  return text
end

function request()
  return 'GET /' .. slug() .. ' HTTP/1.1\r\nHost: hop.example\r\n' .. headers() .. '\r\n'
end
