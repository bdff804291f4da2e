# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # what it uses is set by the script that takes it in
#
# Part of real_files_end_to_end: the ways in which a sender brings a file to a board, by push and by browser.

# ---- Ways in which a sender brings a file to a board that runs: SENDER app|data FILE sends it, leaves what it was told in
# `answer`, and succeeds if that was yes. What is neither yes nor no ends the script.

# The answer must have one of the two texts.
decide() { # YES NO
    if grep -qF -- "$1" answer; then
        return 0
    fi
    grep -qF -- "$2" answer || wrong "the sender was told neither \"$1\" nor \"$2\" but \"$(<answer)\""
    return 1
}

# A usual port is left for `updraft push` to guess.
push_it() { # PROTOCOL FILE OPTION...
    local protocol=$1 file=$2 at
    shift 2
    at=$(port_of "$protocol")
    [[ $at == "$usual_esp32" || $at == "$usual_esp8266" ]] || set -- "$@" --port "$at"
    "$updraft" push 127.0.0.1 "$file" --force --protocol "$protocol" "$@" >answer 2>&1 </dev/null || true
    decide "127.0.0.1 accepted" "updraft: 127.0.0.1"
}

post() { # STATUS PATH OPTION...: the board's answer has this status
    local expected=$1 path=$2 got
    shift 2
    got=$(curl --silent --show-error --max-time 30 --output answer --dump-header headers --write-out '%{http_code}' "$@" \
        "http://127.0.0.1:$(port_of http)$path") || wrong "curl cannot reach the board"
    [[ $expected == *"$got"* ]] || wrong "$path: status $got instead of $expected: $(<answer)"
}

espota() {
    case $1 in
    app) push_it espota "$2" ;;
    data) push_it espota "$2" --data ;;
    esac
}

espota_password() {
    case $1 in
    app) push_it espota "$2" --password-file password ;;
    data) push_it espota "$2" --data --password-file password ;;
    esac
}

# A host of other make that knows MD5 alone, as that of the ESP8266 does.
espota_md5() {
    local options=(--tool esp8266 --password secret) status=0
    [[ $1 == app ]] || options+=(--data)
    "$here/../agent/espota_peer" "$(port_of espota)" "$2" "${options[@]}" >answer 2>&1 || status=$?
    ((status < 2)) || wrong "the host would hang: $(<answer)"
    return "$status"
}

esphome() {
    push_it esphome "$2"
}

esphome_password() {
    push_it esphome "$2" --password-file password
}

arduino_form() { # KIND FILE [OPTION...]
    local field=firmware file=$2
    [[ $1 == app ]] || field=filesystem
    shift 2
    post '200 413' /update "$@" --form "$field=@$file"
    decide "Update Success! Rebooting..." "$([[ $field == filesystem ]] || echo "Update error: ")"
}

login_form() {
    post 401 /update --form "firmware=@$2"
    arduino_form "$@" --user admin:secret
}

# Names decide; the board restarts when it is told to.
psychic_form() {
    local name=v2_code.bin
    [[ $1 == app ]] || name=v2_littlefs.bin
    post '200 413 500' /update --form "file=@$2;filename=$name"
    decide "<b style='color:green'>Update done for file.</b>" "$([[ $1 == data ]] || echo " Update.errorString() ")" ||
        return 1
    post 200 /restart --request POST
    grep -qF "Restarting ..." answer || wrong "no restart on request: $(<answer)"
}

raw() {
    local path=/update
    [[ $1 == app ]] || path='/update?mode=fs'
    post '200 413 500' "$path" --data-binary "@$2" --header 'Content-Type: application/octet-stream'
    decide "Firmware update complete, rebooting now!" "$([[ $1 == data ]] || echo Error)"
}

elegant_form() {
    local mode=fr
    [[ $1 == app ]] || mode=fs
    post 200 "/ota/start?mode=$mode&hash=$(md5_of "$2")"
    post '200 400 413' /ota/upload --form "file=@$2"
    decide OK ""
}

# The digest that the start told is compared: a whole and good file that is another one is refused.
elegant_knows_its_digest() {
    new_board
    start_board --http 0
    post 200 "/ota/start?mode=fr&hash=$(md5_of files/cut.bin)"
    post 400 /ota/upload --form "file=@files/code.bin"
    grep -q '^X-Updraft-Error: .*digest' headers || wrong "the refusal says: $(<headers)"
    nothing_lost "a file with another digest"
    runs_first
    stop_board
}

esphome_form() {
    post 200 /update --form "update=@$2"
    decide "Update Successful!" "Update Failed: "
}

page_form() {
    local path=/update
    [[ $1 == app ]] || path='/update?mode=fs'
    post '200 400 413' "$path" --header 'X-Updraft: 1' --form "file=@$2"
    decide '"ok":true' '"ok":false'
}

# ---- A chapter of such a way

refuses() { # SENDER KIND FILE CAUSE: and has changed nothing
    if "$1" "$2" "files/$3"; then
        wrong "$1: $3 was accepted"
    fi
    # What is refused before its first byte is only answered.
    grep -qF "$4" answer || until_said "$4"
    nothing_lost "$1 $3"
    runs_first
}

takes_data() { # SENDER
    "$1" data files/littlefs.bin || wrong "$1: the file system was refused: $(<answer)"
    until_said "boot    ota_0: garden 1.0.0" 2
    until_said "listening at" $((2 * ways))
    holds spiffs files/littlefs.bin
    runs_first
}

takes_app() { # SENDER
    "$1" app files/code.bin || wrong "$1: the firmware was refused: $(<answer)"
    until_said "confirm $version has started: kept"
    runs_new
}

sent_by() { # WHAT SENDER KINDS OPTION...: "app", or "app data", and the board's options
    local what=$1 sender=$2 kinds=$3
    shift 3
    chapter "$what"
    new_board
    start_board "$@"
    ways=$(lines_with "listening at")
    refuses "$sender" app cut.bin "$cut_short"
    refuses "$sender" app other.bin "$other_chip"
    if [[ $kinds == *data* ]]; then
        refuses "$sender" data large.bin "$too_large"
        takes_data "$sender"
    fi
    takes_app "$sender"
    stop_board
}

# ---- An ESP8266

make_blinds() { # VERSION
    "$updraft" image make --chip esp8266 --form rtos --project blinds --version "$1" -s 0x40210020=segment -s 0x40100000=piece \
        -e 0x40100004 -o "blinds-$1.bin" >/dev/null
}

# Says its errors with their numbers, has its own slots and its own port.
pushed_to_esp8266() {
    chapter "espota and a browser, to an ESP8266"
    head -c 200000 /dev/urandom >segment
    head -c 32768 segment >piece
    make_blinds 1.0.0
    make_blinds 2.0.0
    head -c 100000 blinds-2.0.0.bin >cut.bin
    rm -rf board
    "$updraft" board new board --chip esp8266 --flash-size 2MB --partitions esp8266_two_ota \
        --app ota_0=blinds-1.0.0.bin >/dev/null
    start_board --espota "$usual_esp8266" --http 0
    ! arduino_form app cut.bin || wrong "half a firmware was accepted"
    decide "Update error: ERROR[5]" "-"
    ! espota app cut.bin || wrong "half a firmware was accepted"
    decide 'the device says "ERROR[5]: the image ends too early' "-"
    runs ota_0 blinds 1.0.0
    # An Arduino sketch is whole, and for this chip, but boots by another bootloader.
    local sketch=$recorded/../eboot/esp8266-synthetic.bin
    if [[ -r $sketch ]]; then
        ! espota app "$sketch" || wrong "an Arduino sketch was accepted"
        decide 'the device says "ERROR[10]: made with another SDK than the one that this board boots' "-"
    fi
    espota app blinds-2.0.0.bin || wrong "the firmware was refused"
    until_said "confirm 2.0.0 has started: kept"
    holds ota_1 blinds-2.0.0.bin
    runs ota_1 blinds 2.0.0
    stop_board
}

# ---- All of them

by_push() {
    sent_by "espota, no password" espota "app data" --espota "$usual_esp32"
    sent_by "espota, password proven by PBKDF2" espota_password "app data" --espota 0 --password-file password --md5-login no
    sent_by "espota, password proven by MD5" espota_md5 "app data" --espota 0 --password-file password
    pushed_to_esp8266
    sent_by "ESPHome, no password" esphome app --esphome 0
    sent_by "ESPHome, password" esphome_password app --esphome 0 --password-file password
}

by_browser() {
    sent_by "browser: Arduino" arduino_form "app data" --http 0
    sent_by "browser: Arduino, with a login" login_form "app data" --http 0 --password-file password
    sent_by "browser: PsychicHttp" psychic_form "app data" --http 0
    sent_by "browser: the file itself" raw "app data" --http 0
    sent_by "browser: ElegantOTA" elegant_form "app data" --http 0
    elegant_knows_its_digest
    sent_by "browser: ESPHome" esphome_form app --http 0
    sent_by "browser: the page of the board" page_form "app data" --http 0
}
