# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # what it uses is set by the script that takes it in
#
# Part of real_files_end_to_end: the ways in which a board fetches files itself, from servers and from a list.

# ---- Ways in which the board itself fetches, by --pull or by --update. BEGIN is what stands before the file in its URL.

fetches() { # FILE CAUSE OPTION BEGIN MORE...: and refuses it
    local file=$1 cause=$2 option=$3 begin=$4
    shift 4
    run_board 1 "$option" "$begin/$file" --until idle "$@"
    says "$cause"
    says "the update from $begin/$file failed: "
    nothing_lost "$begin/$file"
    runs_first
}

fetched() { # WHAT OPTION BEGIN MORE...
    local option=$2 begin=$3
    chapter "$1"
    shift 3
    new_board
    fetches cut.bin "$cut_short" "$option" "$begin" "$@"
    fetches other.bin "$other_chip" "$option" "$begin" "$@"
    fetches littlefs.bin "the file does not begin as a firmware image" "$option" "$begin" "$@"
    run_board 0 "$option" "$begin/code.bin" --until confirmed "$@"
    says "confirm $version"
    runs_new
}

# An update server offers whole images for this chip alone, and gives the real one its name by that of the file.
pulled_from_updraft_serve() {
    chapter "pull, from updraft serve"
    mkdir images
    serve_images images
    cp files/cut.bin images/garden-2.4.0.bin
    cp files/other.bin images/garden-2.5.0.bin
    await "the server has looked at both" grep -qF "garden 3.0.0 (esp32-c3" server.log
    new_board
    run_board 1 --pull "$server/pull/garden" --until idle
    grep -qF "no app of project garden for esp32-s3 here" server.log || wrong "the server says: $(<server.log)"
    nothing_lost "updraft serve"
    runs_first
    cp files/code.bin images/garden-2.3.1.bin
    await "the server has the real firmware" grep -qF "garden 2.3.1 (esp32-s3" server.log
    run_board 0 --pull "$server/pull/garden" --until confirmed
    says "server has 2.3.1, I run 1.0.0"
    says "confirm $version reached the server: kept"
    runs_new
}

# ---- Servers with TLS

make_certificates() {
    local name
    for name in server stranger; do
        openssl req -x509 -newkey rsa:2048 -nodes -keyout $name.key -out $name.pem -days 30 -subj /CN=127.0.0.1 2>/dev/null
    done
}

serve_by_openssl() { # its address in $web
    cat server.key server.pem >files/both.pem
    start openssl.log bash -c 'cd files && exec openssl s_server -WWW -accept 127.0.0.1:0 -cert both.pem'
    await "openssl has its port" grep -q '^ACCEPT' openssl.log
    web=https://127.0.0.1:$(sed -n 's/^ACCEPT.*://p' openssl.log)
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# nginx cannot be told to take any port; somebody else may have taken the one that was free a moment ago.
serve_by_nginx() { # its address in $web
    local tries port
    mkdir nginx
    for ((tries = 0; tries < 5; tries++)); do
        port=$(free_port)
        cat >nginx.conf <<END
daemon off; pid nginx/pid; worker_processes 1; user $(id -un) $(id -gn);
events {}
http {
    access_log off; client_body_temp_path nginx; proxy_temp_path nginx; fastcgi_temp_path nginx;
    uwsgi_temp_path nginx; scgi_temp_path nginx;
    server {
        listen 127.0.0.1:$port ssl;
        ssl_certificate $folder/server.pem; ssl_certificate_key $folder/server.key;
        root $folder/files;
    }
}
END
        start nginx.log nginx -p "$folder" -c nginx.conf -e stderr
        web=https://127.0.0.1:$port
        until curl --silent --cacert server.pem --output /dev/null "$web/"; do
            kill -0 "$started" 2>/dev/null || continue 2
            sleep 0.02
        done
        return
    done
    wrong "nginx does not start: $(<nginx.log)"
}

is_a_stranger() { # OPTION BEGIN
    new_board
    fetches code.bin "nobody that is trusted has signed the server's certificate" "$1" "$2" --ca stranger.pem
}

# ---- Upgrade lists

# The board fetches three files that are refused, each with its cause, and does not restart; then both right ones.
listed() { # WHAT BEGIN [MEMBERS]: of each item
    local begin=$2 more=${3:-}
    chapter "$1"
    new_board
    cat >list.json <<END
[{"type": "app", "uri": "${begin}cut.bin"$more, "any_project": true, "restart": true},
 {"type": "app", "uri": "${begin}other.bin"$more, "any_project": true, "restart": true},
 {"type": "data", "label": "spiffs", "uri": "${begin}large.bin"$more, "restart": true}]
END
    run_board 1 --upgrade-list list.json --sdcard files --until idle
    says "list    item 0 failed: $cut_short"
    says "list    item 1 failed: $other_chip"
    says "list    item 2 failed: "
    says "$too_large"
    says_not "restart"
    nothing_lost "the list"
    runs_first
    cat >list.json <<END
[{"type": "data", "label": "spiffs", "uri": "${begin}littlefs.bin"$more, "restart": true},
 {"type": "app", "uri": "${begin}code.bin"$more, "any_project": true, "restart": true}]
END
    run_board 0 --upgrade-list list.json --sdcard files --until confirmed
    says "confirm $version has started: kept"
    (($(lines_with "boot ") == 2)) || wrong "the board did not restart exactly once"
    holds spiffs files/littlefs.bin
    runs_new
}

streamed() { # STATUS FILE OPTION...: the standard input is the file
    local status=$1 file=$2
    shift 2
    run_board "$status" --upgrade-list list.json "$@" <"files/$file"
}

listed_stream() {
    chapter "upgrade list, from the standard input"
    new_board
    echo '[{"type": "app", "uri": "stdin:", "any_project": true, "restart": true}]' >list.json
    streamed 1 cut.bin --until idle
    says "list    item 0 failed: $cut_short"
    nothing_lost "a stream that is cut short"
    streamed 1 other.bin --until idle
    says "list    item 0 failed: $other_chip"
    nothing_lost "a stream for another chip"
    cat >list.json <<END
[{"type": "data", "label": "spiffs", "uri": "stdin:", "md5": "$(md5_of files/littlefs.bin)"}]
END
    streamed 0 littlefs.bin --until idle
    holds spiffs files/littlefs.bin
    runs_first
    echo '[{"type": "app", "uri": "stdin:", "any_project": true, "restart": true}]' >list.json
    streamed 0 code.bin --until confirmed
    runs_new
}

# ---- All of them

by_fetching() {
    make_certificates
    pulled_from_updraft_serve
    serve_folder files
    fetched "pull, from a web server" --pull "$web"
    fetched "update from one URL, on a web server" --update "$web"
    listed "upgrade list, from a web server" "$web/"
    listed "upgrade list, from a memory card" "file://sdcard/"
    listed_stream
    serve_by_openssl
    fetched "update from one URL, by TLS, on openssl s_server" --update "$web" --ca server.pem
    is_a_stranger --update "$web"
    serve_by_nginx
    fetched "update from one URL, by TLS, on nginx" --update "$web" --ca server.pem
    fetched "pull by TLS, from nginx" --pull "$web" --ca server.pem
    is_a_stranger --pull "$web"
    listed "upgrade list, by TLS, from nginx" "$web/" ', "ca": "server.pem"'
}
