-- POST /shorten, each time with a new URL.

local random, format = math.random, string.format

function init()
  math.randomseed(os.time() + (os.clock() * 1e6) % 1e6)
end

function request()
  local body = format('{"long_url":"https://www.example.com/articles/%09d%09d/how-it-began?source=bench"}', random(999999999), random(999999999))
  return 'POST /shorten HTTP/1.1\r\nHost: hop.example\r\nContent-Type: application/json\r\nContent-Length: ' .. #body .. '\r\n\r\n' .. body
end
