-- wrk: one event of about 400 bytes a request, spread over 10,000 users; the server names each event.
-- The numbers have a fixed width so that every request is of the same length.
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
local form = '{"userId":"00000000-0000-4000-8000-%012d","sessionId":"00000000-0000-4000-9000-%012d",' ..
  '"eventType":"form_submit","payload":{"form":"new_project","ok":true,"fields":{"name":"Quarterly numbers",' ..
  '"template":"blank","visibility":"team","colour":"teal"},"path":"/projects/new","referrer":"/projects",' ..
  '"durationMs":48211},"context":{"appVersion":"2.1.0","locale":"en","path":"/projects/new","timezone":"Europe/Berlin"}}'
local turn = 0
function request()
  turn = (turn + 7919) % 10000
  return wrk.format(nil, "/api/v1/events", nil, string.format(form, turn, turn))
end
