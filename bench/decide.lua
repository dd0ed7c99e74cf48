-- wrk: one decision a request, spread over 10,000 users.
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
local form = '{"userId":"00000000-0000-4000-8000-%012d","sessionId":"s-%012d",' ..
  '"context":{"path":"/projects","appVersion":"2.1.0","locale":"en","components":["tooltip","modal","banner","hotspot"]}}'
local turn = 0
function request()
  turn = (turn + 7919) % 10000
  return wrk.format(nil, "/api/v1/decisions", nil, string.format(form, turn, turn))
end
