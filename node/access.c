#include "node/access.h"

#include <inttypes.h>

Zhurnal__V1__Principal access_principal(const struct identity *identity)
{
    Zhurnal__V1__Principal principal = ZHURNAL__V1__PRINCIPAL__INIT;
    /* The message is only ever packed. */
    principal.kind = (Zhurnal__V1__PrincipalKind)identity->kind;
    principal.name = (char *)identity->name;
    principal.n_schools = identity->school_count;
    principal.schools = (uint64_t *)identity->schools;
    principal.certificate_sha256.data = (uint8_t *)identity->certificate_sha256;
    principal.certificate_sha256.len = sizeof identity->certificate_sha256;
    return principal;
}

static int check_frontend(const struct identity *identity, const Zhurnal__V1__Actor *actor,
    const uint64_t *schools, size_t count, struct error *err)
{
    if (actor == NULL || actor->person == 0) {
        return error_set(
            err, STATUS_INVALID, "a front end reads for a person: name him in actor.person");
    }
    if (count == 0) {
        return error_set(
            err, STATUS_DENIED, "only auditors read all schools: name the schools to read");
    }
    for (size_t i = 0; i < count; i++) {
        if (!identity_serves(identity, schools[i])) {
            return error_set(err, STATUS_DENIED,
                "the certificate does not name school %" PRIu64
                ": use the front end of the school, or have its certificate issued for it",
                schools[i]);
        }
    }
    return STATUS_OK;
}

int access_read_schools(const struct identity *identity, const Zhurnal__V1__Actor *actor,
    const uint64_t *schools, size_t count, struct error *err)
{
    if (identity == NULL) {
        return error_set(err, STATUS_UNAUTHENTICATED, "the call names nobody: use a certificate");
    }
    switch (identity->kind) {
    case IDENTITY_AUDITOR:
        return STATUS_OK;
    case IDENTITY_FRONTEND:
        return check_frontend(identity, actor, schools, count, err);
    case IDENTITY_NODE:
    case IDENTITY_OPERATOR:
    case IDENTITY_FOUNDER:
        break;
    }
    return error_set(err, STATUS_DENIED,
        "the certificate of this %s reads no personal data: use an auditor's, or the front end's "
        "of "
        "the school",
        identity_kind_text(identity->kind));
}
