-- wrk -s load.lua URL -- get FILE     random paths out of FILE, one a line; behind a blank, a token
-- wrk -s load.lua URL -- post RUN     products whose name and sku occur once: RUN must be new
-- Ends with one line of JSON. Requests are made beforehand where they can be: wrk must not be
-- what is measured.

local threads = 0

function setup(thread)
	threads = threads + 1
	thread:set("number", threads)
end

local function prepare_gets(file)
	local requests, count = {}, 0
	for line in io.lines(file) do
		local path, token = line:match("^(%S+) ?(%S*)$")
		wrk.headers["Authorization"] = token ~= "" and "Bearer " .. token or nil
		count = count + 1
		requests[count] = wrk.format("GET", path)
	end
	math.randomseed(number)
	request = function()
		return requests[math.random(count)]
	end
end

local function prepare_posts(run)
	local body = '{"name":"Enamel mug %s","description":"Holds 350 ml, survives the dishwasher and '
		.. 'most camp fires.","price":14.50,"inventory":1000,"sku":"%s","category":"kitchen",'
		.. '"tags":["mug","outdoor"]}'
	local made = 0
	wrk.headers["Content-Type"] = "application/json"
	request = function()
		made = made + 1
		local name = run .. "-" .. number .. "-" .. made
		return wrk.format("POST", "/products", nil, body:format(name, name))
	end
end

function init(args)
	if args[1] == "get" then
		prepare_gets(args[2])
	else
		prepare_posts(args[2])
	end
end

function done(summary, latency)
	local errors = summary.errors
	print(string.format('{"requests":%d,"seconds":%.6f,"p50_us":%d,"p99_us":%d,"refused":%d,'
		.. '"broken":%d}',
		summary.requests, summary.duration / 1e6, latency:percentile(50),
		latency:percentile(99), errors.status,
		errors.connect + errors.read + errors.write + errors.timeout))
end
