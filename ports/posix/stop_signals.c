/* SPDX-License-Identifier: Apache-2.0 */
#include "posix/stop_signals.h"

#include <stddef.h>

void stop_signals(sigset_t *signals)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    sigemptyset(signals);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction action;
        if (sigaction(numbers[i], NULL, &action) != 0 || action.sa_handler != SIG_IGN) {
            sigaddset(signals, numbers[i]);
        }
    }
}
