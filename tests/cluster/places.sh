# Where the test cluster keeps things; sourced by the scripts beside this file.
# LOOM_WEAVER_CLUSTER_CACHE: another folder than ~/.cache/loom-weaver-cluster.
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
cache=${LOOM_WEAVER_CLUSTER_CACHE:-$HOME/.cache/loom-weaver-cluster}
digest() { (cd "$here" && sha256sum "$@" | sha256sum | cut -c1-16); }

# What is made depends on these files alone: a change of one makes anew what it is in.
bin=$cache/bin-$(digest go.mod go.sum main.go pause/main.go binaries)
images=$cache/images-$(digest go.mod pause/main.go image.py images ../../deploy/images/weaver/{Dockerfile,packages.txt})
run=$cache/run
kubeconfig=$run/admin.kubeconfig
# Sockets have short names, and what a killed cluster leaves is found again.
state=/run/loom-weaver-cluster
PATH=$bin:$PATH:/usr/sbin

# How a packet to the API server's address among services goes on to where it listens.
api_for_pods=(-i loom0 -d 10.96.0.1/32 -p tcp --dport 443 -j DNAT --to-destination 127.0.0.1:16443)

# From the last server to be stopped to the first.
components=(etcd containerd kube-apiserver kube-controller-manager kube-scheduler kubelet)

kubernetes_is_ready() { kubectl --kubeconfig "$kubeconfig" --request-timeout=5s get --raw /readyz >/dev/null 2>&1; }

# Whether component $1 runs: not another process that has got its number since.
is_alive() { [ -f "$run/pids/$1" ] && [ "$(readlink "/proc/$(cat "$run/pids/$1")/cwd")" = "$run" ]; }

# Starts component $1 by the command that `up` wrote down; it outlives this shell and inherits nothing of it.
start_component() {
  local descriptor
  (
    cd "$run"
    for descriptor in /proc/self/fd/*; do
      descriptor=${descriptor##*/}
      [ "$descriptor" -le 2 ] || eval "exec $descriptor>&-" 2>/dev/null || true
    done
    setsid bash "commands/$1" >>"log/$1.log" 2>&1 </dev/null &
    echo $! >"pids/$1"
  )
}

# Stops component $1, frozen or not; after 8 seconds by force. The pods of a kubelet or containerd go on.
stop_component() {
  local pid i
  if is_alive "$1"; then
    pid=$(cat "$run/pids/$1")
    kill "$pid"; kill -CONT "$pid"
    for ((i = 0; i < 100; i++)); do
      is_alive "$1" || break
      [ "$i" -ne 80 ] || kill -9 "$pid"
      sleep 0.1
    done
  fi
  rm -f "$run/pids/$1"
}

# wait_for SECONDS WHAT COMMAND…
wait_for() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ $SECONDS -ge $end ]; then echo "tests/cluster: no $what in time; see $run/log" >&2; return 1; fi
    sleep 0.2
  done
}
