# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # what is set here is for the script that takes it in
#
# For scripts that test whole programs: a scratch folder, programs in the background, what they say, and virtual boards.
#
#     source "$(dirname "$0")/../support/programs.bash"
#
# The script's first argument is the command, $updraft. It is then in $folder, which is gone when it ends, as is everything
# that `start` has started. The file `log` is what the program under test said last, `answer` what its peer was told;
# `wrong` shows both and ends the script. A board is the folder `board`.
set -euo pipefail

updraft=$(realpath "$1")
folder=$(mktemp -d)
running=()
started= # the process that start has started last
unset UPDRAFT_PASSWORD UPDRAFT_BOARD_PASSWORD UPDRAFT_KEY_PASSWORD

clean_up() {
    local process
    for process in "${running[@]}"; do
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    rm -rf "$folder"
}
trap clean_up EXIT
cd "$folder"

wrong() { # TEXT
    tail -n +1 log answer >&2 2>/dev/null || true
    printf '\n%s: %s\n' "$(basename "$0")" "$1" >&2
    exit 1
}

# ---- Programs

start() { # FILE COMMAND...: in the background, its output in the file
    local file=$1
    shift
    : >"$file"
    "$@" >"$file" 2>&1 &
    started=$!
    running+=("$started")
}

stop() { # PROCESS
    kill "$1" 2>/dev/null || true
    wait "$1" || true
}

# Waits until the command succeeds. Ends the script if the process that was started last does so before, or after 20 s.
await() { # WHAT COMMAND...
    local what=$1 tries
    shift
    for ((tries = 0; tries < 1000; tries++)); do
        if "$@"; then
            return
        fi
        kill -0 "$started" 2>/dev/null || "$@" || wrong "the program ended before $what"
        sleep 0.02
    done
    wrong "20 s, and not yet $what"
}

# A web server that knows nothing of updates; its address in $web.
serve_folder() { # FOLDER
    rm -f web_port
    start web.log python3 -c '
import functools, http.server, os, sys
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
open("port.new", "w").write(str(server.server_port))
os.rename("port.new", "web_port")
server.serve_forever()' "$1"
    await "the web server has its port" test -s web_port
    web=http://127.0.0.1:$(<web_port)
}

# `updraft serve`; its address in $server.
serve_images() { # FOLDER OPTION...
    rm -f server_port
    start server.log "$updraft" serve "$@" --address 127.0.0.1 --port 0 --port-file server_port
    await "the update server has its port" test -s server_port
    server=http://127.0.0.1:$(<server_port)
}

# ---- What was said

says() { # TEXT
    grep -qF -- "$1" log || wrong "no line has \"$1\""
}

says_not() { # TEXT
    ! grep -qF -- "$1" log || wrong "a line has \"$1\""
}

lines_with() { # TEXT
    grep -cF -- "$1" log || true
}

has_lines() { # COUNT TEXT
    (($(lines_with "$2") >= $1))
}

until_said() { # TEXT [COUNT]: waits for so many lines with it
    await "somebody says \"$1\"" has_lines "${2:-1}" "$1"
}

# ---- Boards

run_board() { # STATUS OPTION...
    local expected=$1 status=0
    shift
    "$updraft" board run board --timeout 60 "$@" >log 2>&1 || status=$?
    ((status == expected)) || wrong "board run ended with $status instead of $expected"
}

port_of() { # WAY
    sed -n "s/.* $1  *listening at ... port //p" log | head -n 1
}

start_board() { # OPTION...: until it can be reached; the port of its first way in is $port
    start log "$updraft" board run board "$@"
    board=$started
    until_said "listening at"
    port=$(port_of '[a-z]*')
}

stop_board() {
    stop "$board"
}
