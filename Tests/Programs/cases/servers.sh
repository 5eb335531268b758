# needs: redis-server redis-cli nginx curl nc python3
if [ "${1-}" = --needs ]; then
    for n in redis-server redis-cli nginx curl nc python3; do command -v "$n" || exit 1; done; exit 0
fi
dir=$(mktemp -d); cd "$dir" || exit 1; chmod 755 "$dir"
answers() { for i in $(seq 100); do "$@" >/dev/null 2>&1 && return; sleep 0.05; done; }
redis-server --port 7391 --save '' --daemonize yes --dir "$dir" --pidfile "$dir/pid" --logfile "$dir/log" >/dev/null
redis() { redis-cli -p 7391 "$@"; }
answers redis ping
redis set a 1; redis incr a; redis rpush l x y z; redis lrange l 0 -1; redis save; ls dump.rdb
redis-benchmark -p 7391 -n 2000 -q -t set,get 2>&1 | tr '\r' '\n' | grep -c 'requests per second'
redis shutdown nosave
mkdir html; seq 1000 >html/index.html
cat >conf <<C
worker_processes 2; pid $dir/nginx.pid; error_log $dir/err crit;
events { worker_connections 64; }
http { access_log $dir/acc; server { listen 127.0.0.1:7392; root $dir/html; } }
C
site() { nginx -e "$dir/err" -p "$dir" -c "$dir/conf" "$@"; }
site; answers curl -s http://127.0.0.1:7392/
curl -s http://127.0.0.1:7392/ | md5sum; curl -s -o /dev/null -w '%{http_code}\n' http://127.0.0.1:7392/missing
curl -s -r 10-20 http://127.0.0.1:7392/index.html | md5sum
site -s reload 2>/dev/null; sleep 0.3; curl -s http://127.0.0.1:7392/ | md5sum; site -s quit 2>/dev/null; sleep 0.3; grep -v notice err
echo from the server | nc -l -N 127.0.0.1 7393 >received & sleep 0.3; echo from the client | nc -N 127.0.0.1 7393; wait; cat received
(nc -U -l "$dir/s" & sleep 0.3; echo local | nc -N -U "$dir/s"; wait)
python3 -m http.server -b 127.0.0.1 7394 -d html >/dev/null 2>&1 & answers curl -s http://127.0.0.1:7394/
curl -s http://127.0.0.1:7394/index.html | md5sum; kill $!; wait 2>/dev/null
cd /; rm -rf "$dir"
