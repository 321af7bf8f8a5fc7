/* A PKCS#11 module between the program and a real one, which does as the file `mood` says at any time, and
 * counts in the file `logins` how often it was told a PIN. Both are in TEST_MODULE_DIR. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long ck;
typedef void (*any)(void);
struct list {
    unsigned char version[2];
    any function[68];
};
enum { TOKEN_INFO = 6, OPEN_SESSION = 12, LOGIN = 18, SIGN_INIT = 42, SIGN = 43 };

static struct list real, ours;
static int reopened;

static FILE *file(const char *name, const char *mode) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", getenv("TEST_MODULE_DIR"), name);
    return fopen(path, mode);
}

static int is(const char *mood) {
    char now[32] = "";
    FILE *from = file("mood", "r");
    if (from) {
        if (!fgets(now, sizeof now, from)) now[0] = 0;
        fclose(from);
    }
    return !strcmp(now, mood);
}

static ck token_info(ck slot, unsigned char *info) {
    ck said = ((ck(*)(ck, void *))real.function[TOKEN_INFO])(slot, info);
    ck flags;
    memcpy(&flags, info + 96, sizeof flags);
    if (is("final")) flags |= 0x20000;
    if (is("locked")) flags |= 0x40000;
    memcpy(info + 96, &flags, sizeof flags);
    return said;
}

static ck open_session(ck slot, ck flags, void *app, void *notify, ck *session) {
    if (is("removed")) return 0xe0;
    reopened = 1;
    return ((ck(*)(ck, ck, void *, void *, ck *))real.function[OPEN_SESSION])(slot, flags, app, notify, session);
}

static ck login(ck session, ck user, void *pin, ck length) {
    FILE *to = file("logins", "a");
    if (to) {
        fputc('.', to);
        fclose(to);
    }
    if (is("denied")) return 0xa0;
    return ((ck(*)(ck, ck, void *, ck))real.function[LOGIN])(session, user, pin, length);
}

static ck sign_init(ck session, void *mechanism, ck key) {
    if (is("removed")) return 0x32;
    if (is("denied")) return 0x101;
    if (is("lost") && !reopened) return 0xb3;
    return ((ck(*)(ck, void *, ck))real.function[SIGN_INIT])(session, mechanism, key);
}

static ck sign(ck session, void *data, ck length, unsigned char *signature, ck *room) {
    ck said;
    while (is("hangs")) usleep(10000);
    said = ((ck(*)(ck, void *, ck, void *, ck *))real.function[SIGN])(session, data, length, signature, room);
    if (signature && is("lies")) signature[5] ^= 1;
    if (signature && is("short")) *room = 9;
    reopened = 0;
    return said;
}

ck C_GetFunctionList(struct list **list) {
    if (!ours.function[0]) {
        void *module = dlopen(getenv("TEST_MODULE_REAL"), RTLD_NOW | RTLD_LOCAL);
        ck (*get)(struct list **) = (ck(*)(struct list **))dlsym(module, "C_GetFunctionList");
        struct list *theirs;
        get(&theirs);
        real = ours = *theirs;
        ours.function[TOKEN_INFO] = (any)token_info;
        ours.function[OPEN_SESSION] = (any)open_session;
        ours.function[LOGIN] = (any)login;
        ours.function[SIGN_INIT] = (any)sign_init;
        ours.function[SIGN] = (any)sign;
    }
    *list = &ours;
    return 0;
}
