/* SPDX-License-Identifier: Apache-2.0 */
#include <updraft/signature.h>

const struct ota_verifier *ota_verifier_find(const struct ota_verifier *const *verifiers,
                                             enum ota_signature_scheme scheme)
{
    while (verifiers != NULL && *verifiers != NULL) {
        if ((*verifiers)->scheme == scheme) {
            return *verifiers;
        }
        verifiers++;
    }
    return NULL;
}
