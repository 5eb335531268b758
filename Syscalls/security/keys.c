// add_key(2), request_key(2), keyctl(2): keyrings(7).
#include "conformance.h"
#include <linux/keyctl.h>

typedef int32_t key;
static key add(const char *type, const char *name, const void *data, size_t size, key ring) {
    return syscall(SYS_add_key, type, name, data, size, ring);
}
static key request(const char *type, const char *name, const char *info, key ring) {
    return syscall(SYS_request_key, type, name, info, ring);
}
#define control(...) syscall(SYS_keyctl, __VA_ARGS__)

/// A session keyring of its own, so that a case leaves nothing behind.
#define SESSION IN_FORK
static key session(void) { return control(KEYCTL_JOIN_SESSION_KEYRING, NULL); }

static void describe(key id, char *text, size_t size) {
    memset(text, 0, size);
    CHECK(control(KEYCTL_DESCRIBE, id, text, size) > 0);
}

static void making(void) {
    COVERS(add_key, keyctl);
    CASE(key_make_read_describe) SESSION({
        key ring = session();
        CHECK(ring > 0);
        key id = add("user", "first", "secret", 6, ring);
        CHECK(id > 0 && id != ring);
        char text[64] = "";
        CHECK_EQ(control(KEYCTL_READ, id, text, sizeof text), 6);
        CHECK(!memcmp(text, "secret", 6));
        CHECK_EQ(control(KEYCTL_READ, id, NULL, 0), 6);
        memset(text, 'x', 8);
        CHECK_EQ(control(KEYCTL_READ, id, text, 3), 6);
        CHECK_EQ(text[0], 'x');
        describe(id, text, sizeof text);
        char wanted[64];
        snprintf(wanted, sizeof wanted, "user;%d;%d;3f010000;first", geteuid(), getegid());
        CHECK(!strcmp(text, wanted));
        CHECK_EQ(control(KEYCTL_DESCRIBE, id, NULL, 0), strlen(wanted) + 1);
        describe(ring, text, sizeof text);
        snprintf(wanted, sizeof wanted, "keyring;%d;%d;3f030000;_ses", getuid(), getgid());
        CHECK(!strcmp(text, wanted));
    });
    CASE(key_arguments) SESSION({
        key ring = session();
        char big[33000];
        memset(big, 'a', sizeof big);
        CHECK_ERRNO(add("user", "x", "", 0, ring), EINVAL);
        CHECK_ERRNO(add("user", "x", NULL, 4, ring), EFAULT);
        CHECK_ERRNO(add("user", "x", big, 32768, ring), EINVAL);
        CHECK_ERRNO(add("user", "x", big, 1 << 20, ring), EINVAL);
        CHECK_ERRNO(add("user", "", "x", 1, ring), EINVAL);
        CHECK_ERRNO(add("user", NULL, "x", 1, ring), EINVAL);
        CHECK_ERRNO(add("", "x", "x", 1, ring), EINVAL);
        CHECK_ERRNO(add(NULL, "x", "x", 1, ring), EFAULT);
        CHECK_ERRNO(add(".system", "x", "x", 1, ring), EPERM);
        CHECK_ERRNO(add("keyring", ".x", NULL, 0, ring), EPERM);
        CHECK_ERRNO(add("keyring", "x", "x", 1, ring), EINVAL);
        CHECK_ERRNO(add("nonsense", "x", "x", 1, ring), ENODEV);
        CHECK_ERRNO(add("logon", "nocolon", "x", 1, ring), EINVAL);
        CHECK_ERRNO(add("logon", ":x", "x", 1, ring), EINVAL);
        CHECK_ERRNO(add("user", "x", "x", 1, 0), EINVAL);
        CHECK_ERRNO(add("user", "x", "x", 1, 0x7ffffff1), ENOKEY);
        CHECK_ERRNO(add("user", "x", "x", 1, KEY_SPEC_GROUP_KEYRING), EINVAL);
        key id = add("user", "x", "x", 1, ring);
        CHECK_ERRNO(add("user", "y", "x", 1, id), ENOTDIR);
        CHECK_ERRNO(control(9999), EOPNOTSUPP);
        CHECK_ERRNO(control(KEYCTL_READ, 0x7ffffff1, NULL, 0), ENOKEY);
        CHECK_ERRNO(control(KEYCTL_READ, 0, NULL, 0), ENOKEY);
        CHECK_ERRNO(control(KEYCTL_DESCRIBE, 0, NULL, 0), EINVAL);
    });
    CASE(key_again_updates) SESSION({
        key ring = session();
        key id = add("user", "same", "one", 3, ring);
        CHECK_EQ(add("user", "same", "three", 5, ring), id);
        char text[8];
        CHECK_EQ(control(KEYCTL_READ, id, text, 8), 5);
        CHECK_EQ(control(KEYCTL_UPDATE, id, "xy", 2), 0);
        CHECK_EQ(control(KEYCTL_READ, id, text, 8), 2);
        CHECK_ERRNO(control(KEYCTL_UPDATE, id, NULL, 0), EINVAL);
        CHECK_ERRNO(control(KEYCTL_UPDATE, id, "x", 5000), EINVAL);
        CHECK_ERRNO(control(KEYCTL_UPDATE, ring, NULL, 0), EOPNOTSUPP);
        CHECK(add("user", "other", "x", 1, ring) != id);
        key inner = add("keyring", "inner", NULL, 0, ring);
        CHECK(add("keyring", "inner", NULL, 0, ring) != inner);
    });
    CASE(key_of_a_service_is_not_read) SESSION({
        key ring = session();
        key id = add("logon", "service:name", "x", 1, ring);
        CHECK(id > 0);
        char text[64];
        describe(id, text, sizeof text);
        CHECK(strstr(text, ";3d010000;service:name") != NULL);
        CHECK_ERRNO(control(KEYCTL_READ, id, text, 8), EOPNOTSUPP);
    });
}

static void rings(void) {
    COVERS(keyctl);
    CASE(keyring_names) SESSION({
        CHECK_ERRNO(control(KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 0), ENOKEY);
        CHECK_ERRNO(control(KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 0), ENOKEY);
        key thread = control(KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 1);
        key process = control(KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1);
        CHECK(thread > 0 && process > 0 && thread != process);
        CHECK_EQ(control(KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 0), thread);
        CHECK_EQ(control(KEYCTL_GET_KEYRING_ID, thread, 0), thread);
        char text[64];
        describe(thread, text, sizeof text);
        CHECK(strstr(text, ";3f010000;_tid") != NULL);
        describe(process, text, sizeof text);
        CHECK(strstr(text, ";3f010000;_pid") != NULL);
        key user = control(KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 0);
        key shared = control(KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_SESSION_KEYRING, 0);
        CHECK(user > 0 && shared > 0 && user != shared);
        describe(user, text, sizeof text);
        char wanted[64];
        snprintf(wanted, sizeof wanted, "keyring;%d;65534;1f3f0000;_uid.%d", getuid(), getuid());
        CHECK(!strcmp(text, wanted));
        describe(shared, text, sizeof text);
        snprintf(wanted, sizeof wanted, "keyring;%d;65534;1f3f0000;_uid_ses.%d", getuid(), getuid());
        CHECK(!strcmp(text, wanted));
        CHECK_ERRNO(control(KEYCTL_GET_KEYRING_ID, KEY_SPEC_REQKEY_AUTH_KEY, 0), ENOKEY);
        CHECK_ERRNO(control(KEYCTL_GET_KEYRING_ID, -50, 0), EINVAL);
        CHILD {
            CHECK_ERRNO(control(KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 0), ENOKEY);
            CHECK_ERRNO(control(KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 0), ENOKEY);
        }
    });
    CASE(keyring_of_the_session_is_inherited) SESSION({
        key ring = session();
        CHECK_EQ(control(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0), ring);
        CHILD {
            CHECK_EQ(control(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0), ring);
            key other = session();
            CHECK(other > 0 && other != ring);
        }
        CHECK_EQ(control(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0), ring);
        key named = control(KEYCTL_JOIN_SESSION_KEYRING, "conformance");
        CHECK(named > 0);
        char text[64];
        describe(named, text, sizeof text);
        CHECK(strstr(text, ";3f130000;conformance") != NULL);
        // Its owner may not search it, so that it is not found.
        CHECK(control(KEYCTL_JOIN_SESSION_KEYRING, "conformance") != named);
        CHECK_ERRNO(control(KEYCTL_JOIN_SESSION_KEYRING, ".x"), EPERM);
    });
    CASE(keyring_links) SESSION({
        key ring = session();
        key a = add("keyring", "a", NULL, 0, ring), b = add("keyring", "b", NULL, 0, ring);
        key id = add("user", "leaf", "x", 1, a);
        key list[8] = {0};
        CHECK_EQ(control(KEYCTL_READ, a, list, sizeof list), 4);
        CHECK_EQ(list[0], id);
        CHECK_EQ(control(KEYCTL_LINK, id, b), 0);
        CHECK_EQ(control(KEYCTL_LINK, id, b), 0);
        CHECK_EQ(control(KEYCTL_READ, b, NULL, 0), 4);
        CHECK_EQ(control(KEYCTL_READ, ring, NULL, 0), 8);
        CHECK_EQ(control(KEYCTL_LINK, b, a), 0);
        CHECK_ERRNO(control(KEYCTL_LINK, a, b), EDEADLK);
        CHECK_ERRNO(control(KEYCTL_LINK, a, a), EDEADLK);
        CHECK_ERRNO(control(KEYCTL_LINK, id, id), ENOTDIR);
        CHECK_EQ(control(KEYCTL_UNLINK, b, a), 0);
        CHECK_ERRNO(control(KEYCTL_UNLINK, b, a), ENOENT);
        CHECK_ERRNO(control(KEYCTL_UNLINK, b, id), ENOTDIR);
        CHECK_EQ(control(KEYCTL_CLEAR, a), 0);
        CHECK_EQ(control(KEYCTL_READ, a, NULL, 0), 0);
        CHECK_ERRNO(control(KEYCTL_CLEAR, id), ENOTDIR);
        CHECK_EQ(control(KEYCTL_UNLINK, id, b), 0);
    });
    CASE(keyring_moves) SESSION({
        key ring = session();
        key a = add("keyring", "a", NULL, 0, ring), b = add("keyring", "b", NULL, 0, ring);
        key id = add("user", "leaf", "x", 1, a), same = add("user", "leaf", "y", 1, b);
        CHECK_ERRNO(control(KEYCTL_MOVE, id, a, b, 2), EINVAL);
        CHECK_ERRNO(control(KEYCTL_MOVE, id, a, b, KEYCTL_MOVE_EXCL), EEXIST);
        key alone = add("user", "alone", "y", 1, b);
        CHECK(same > 0);
        CHECK_ERRNO(control(KEYCTL_MOVE, alone, a, ring, 0), ENOENT);
        CHECK_EQ(control(KEYCTL_UNLINK, alone, b), 0);
        CHECK_EQ(control(KEYCTL_MOVE, id, a, b, 0), 0);
        CHECK_EQ(control(KEYCTL_READ, a, NULL, 0), 0);
        key found = 0;
        CHECK_EQ(control(KEYCTL_READ, b, &found, 4), 4);
        CHECK_EQ(found, id);
    });
    CASE(keyring_searches) SESSION({
        key ring = session();
        key a = add("keyring", "a", NULL, 0, ring), b = add("keyring", "b", NULL, 0, a);
        key id = add("user", "deep", "x", 1, b);
        CHECK_EQ(control(KEYCTL_SEARCH, ring, "user", "deep", 0), id);
        CHECK_EQ(control(KEYCTL_SEARCH, ring, "keyring", "b", 0), b);
        CHECK_ERRNO(control(KEYCTL_SEARCH, ring, "user", "absent", 0), ENOKEY);
        CHECK_ERRNO(control(KEYCTL_SEARCH, ring, "nonsense", "deep", 0), ENOKEY);
        CHECK_ERRNO(control(KEYCTL_SEARCH, id, "user", "deep", 0), ENOTDIR);
        CHECK_EQ(control(KEYCTL_SEARCH, a, "user", "deep", ring), id);
        CHECK_EQ(control(KEYCTL_READ, ring, NULL, 0), 8);
        CHECK_EQ(request("user", "deep", NULL, 0), id);
        CHECK_ERRNO(request("user", "absent", NULL, 0), ENOKEY);
        CHECK_ERRNO(request("nonsense", "absent", NULL, 0), ENOKEY);
        CHECK_EQ(request("user", "deep", NULL, KEY_SPEC_THREAD_KEYRING), id);
        CHECK_EQ(control(KEYCTL_READ, KEY_SPEC_THREAD_KEYRING, NULL, 0), 4);
    });
    CASE(keyring_nested_deeply) AS_USER({
        key top = session(), ring = top;
        for (int i = 0; i < 150; i++) {
            key next = add("keyring", "nested", NULL, 0, top);
            CHECK(next > 0);
            CHECK_EQ(control(KEYCTL_SETPERM, next, 0x3f3f0000), 0);
            if (i > 0) {
                CHECK_EQ(control(KEYCTL_LINK, next, ring), 0);
            } else {
                CHECK_EQ(control(KEYCTL_LINK, next, KEY_SPEC_PROCESS_KEYRING), 0);
            }
            CHECK_EQ(control(KEYCTL_UNLINK, next, top), 0);
            ring = next;
        }
        // Found no deeper than six levels down.
        key id = add("user", "bottom", "x", 1, ring);
        CHECK(id > 0);
        CHECK_ERRNO(request("user", "bottom", NULL, 0), ENOKEY);
        CHECK_EQ(control(KEYCTL_CLEAR, KEY_SPEC_PROCESS_KEYRING), 0);
    });
    CASE(keyring_takes_no_more_links) SESSION({
        key ring = session();
        key a = add("keyring", "a", NULL, 0, ring);
        CHECK_ERRNO(control(KEYCTL_RESTRICT_KEYRING, a, NULL, "x"), EINVAL);
        CHECK_ERRNO(control(KEYCTL_RESTRICT_KEYRING, a, "user", "x"), ENOENT);
        CHECK_EQ(control(KEYCTL_RESTRICT_KEYRING, a, NULL, NULL), 0);
        CHECK_ERRNO(add("user", "x", "x", 1, a), EPERM);
        key id = add("user", "x", "x", 1, ring);
        CHECK_ERRNO(control(KEYCTL_LINK, id, a), EPERM);
        CHECK_ERRNO(control(KEYCTL_RESTRICT_KEYRING, a, NULL, NULL), EEXIST);
        CHECK_ERRNO(control(KEYCTL_RESTRICT_KEYRING, id, NULL, NULL), ENOTDIR);
    });
}

static void states(void) {
    COVERS(keyctl);
    CASE(key_revoked) SESSION({
        key ring = session();
        key id = add("user", "gone", "x", 1, ring);
        CHECK_EQ(control(KEYCTL_REVOKE, id), 0);
        CHECK_ERRNO(control(KEYCTL_READ, id, NULL, 0), EKEYREVOKED);
        CHECK_ERRNO(control(KEYCTL_UPDATE, id, "y", 1), EKEYREVOKED);
        CHECK_ERRNO(control(KEYCTL_REVOKE, id), EKEYREVOKED);
        CHECK_ERRNO(control(KEYCTL_DESCRIBE, id, NULL, 0), EKEYREVOKED);
        CHECK_ERRNO(request("user", "gone", NULL, 0), EKEYREVOKED);
        CHECK_ERRNO(control(KEYCTL_SEARCH, ring, "user", "gone", 0), EKEYREVOKED);
        CHECK(add("user", "gone", "y", 1, ring) != id);
        CHECK(request("user", "gone", NULL, 0) > 0);
    });
    CASE(key_invalidated) SESSION({
        key ring = session();
        key id = add("user", "gone", "x", 1, ring);
        CHECK_EQ(control(KEYCTL_INVALIDATE, id), 0);
        // It may be collected at once, and then is not possessed any more.
        CHECK_ERRNO2(control(KEYCTL_READ, id, NULL, 0), ENOKEY, EACCES);
        CHECK_ERRNO(control(KEYCTL_INVALIDATE, id), ENOKEY);
        conformance_nap(100);
        CHECK_ERRNO(request("user", "gone", NULL, 0), ENOKEY);
    });
    CASE(key_expires) SESSION({
        key ring = session();
        key id = add("user", "soon", "x", 1, ring);
        CHECK_EQ(control(KEYCTL_SET_TIMEOUT, id, 100), 0);
        CHECK_EQ(control(KEYCTL_SET_TIMEOUT, id, 0), 0);
        CHECK_EQ(control(KEYCTL_SET_TIMEOUT, id, 1), 0);
        CHECK_EQ(control(KEYCTL_READ, id, NULL, 0), 1);
        conformance_nap(2100);
        CHECK_ERRNO(control(KEYCTL_READ, id, NULL, 0), EKEYEXPIRED);
        CHECK_ERRNO(request("user", "soon", NULL, 0), ENOKEY);
        CHECK_ERRNO(control(KEYCTL_SEARCH, ring, "user", "soon", 0), EKEYEXPIRED);
        CHECK_ERRNO(control(KEYCTL_SET_TIMEOUT, id, 0), EKEYEXPIRED);
        CHECK_EQ(add("user", "soon", "y", 1, ring), id);
        CHECK_EQ(control(KEYCTL_READ, id, NULL, 0), 1);
    });
    CASE(key_permissions) SESSION({
        key ring = session();
        key id = add("user", "closed", "x", 1, ring);
        CHECK_ERRNO(control(KEYCTL_SETPERM, id, 0x40000000), EINVAL);
        CHECK_EQ(control(KEYCTL_SETPERM, id, 0x39000000), 0);
        // What is possessed and searchable may be read all the same.
        CHECK_EQ(control(KEYCTL_READ, id, NULL, 0), 1);
        CHECK_ERRNO(control(KEYCTL_UPDATE, id, "y", 1), EACCES);
        CHECK_EQ(control(KEYCTL_SETPERM, id, 0x20000000), 0);
        CHECK_ERRNO(control(KEYCTL_DESCRIBE, id, NULL, 0), EACCES);
        CHECK_ERRNO(request("user", "closed", NULL, 0), EACCES);
        // With a thread keyring that has no such key, that decides.
        CHECK_ERRNO(control(KEYCTL_LINK, id, KEY_SPEC_THREAD_KEYRING), EACCES);
        CHECK_ERRNO(request("user", "closed", NULL, 0), ENOKEY);
        // What cannot be searched for is not possessed.
        CHECK_ERRNO(control(KEYCTL_REVOKE, id), EACCES);
    });
    CASE(key_not_possessed) SESSION({
        key ring = session();
        key id = add("user", "far", "x", 1, ring);
        CHILD {
            session();
            CHECK_ERRNO(control(KEYCTL_READ, id, NULL, 0), EACCES);
            CHECK(control(KEYCTL_DESCRIBE, id, NULL, 0) > 0);
            CHECK_ERRNO(control(KEYCTL_LINK, id, KEY_SPEC_THREAD_KEYRING), EACCES);
            CHECK_ERRNO(control(KEYCTL_SET_TIMEOUT, id, 5), EACCES);
        }
        if (geteuid() == 0) CHILD {
            session();
            conformance_drop();
            CHECK_ERRNO(control(KEYCTL_DESCRIBE, id, NULL, 0), EACCES);
        }
    });
    CASE(key_owner) SESSION({
        session();
        if (geteuid() == 0) {
            key id = add("user", "mine", "x", 1, KEY_SPEC_SESSION_KEYRING);
            CHECK_EQ(control(KEYCTL_CHOWN, id, -1, -1), 0);
            CHECK_EQ(control(KEYCTL_CHOWN, id, 1000, 1001), 0);
            char text[64];
            describe(id, text, sizeof text);
            CHECK(strstr(text, "user;1000;1001;") == text);
        }
        AS_USER({
            session();
            key id = add("user", "mine", "x", 1, KEY_SPEC_SESSION_KEYRING);
            CHECK_ERRNO(control(KEYCTL_CHOWN, id, 0, -1), EACCES);
            CHECK_ERRNO(control(KEYCTL_CHOWN, id, -1, 4242), EACCES);
            CHECK_EQ(control(KEYCTL_CHOWN, id, geteuid(), getegid()), 0);
        });
    });
    CASE(key_quota) AS_USER({
        key ring = session();
        char data[15000];
        memset(data, 'x', sizeof data);
        CHECK(add("user", "big", data, sizeof data, ring) > 0);
        CHECK_ERRNO(add("user", "bigger", data, sizeof data, ring), EDQUOT);
        CHECK_ERRNO(control(KEYCTL_UPDATE, request("user", "big", NULL, 0), data, 5000), EINVAL);
        CHECK(add("user", "small", data, 10, ring) > 0);
    });
}

static void others(void) {
    char text[64];
    COVERS(keyctl);
    CASE(key_authority) SESSION({
        CHECK_EQ(control(KEYCTL_ASSUME_AUTHORITY, 0), 0);
        CHECK_ERRNO(control(KEYCTL_ASSUME_AUTHORITY, -5), EINVAL);
        CHECK_ERRNO(control(KEYCTL_ASSUME_AUTHORITY, 123456), ENOKEY);
        CHECK_ERRNO(control(KEYCTL_INSTANTIATE, 1, "x", 1, 0), EPERM);
        CHECK_ERRNO(control(KEYCTL_NEGATE, 1, 1, 0), EPERM);
        CHECK_ERRNO(control(KEYCTL_REJECT, 1, 1, ENOKEY, 0), EPERM);
        CHECK_ERRNO(control(KEYCTL_REJECT, 1, 1, 0, 0), EINVAL);
    });
    CASE(key_request_target) SESSION({
        CHECK_EQ(control(KEYCTL_SET_REQKEY_KEYRING, -1), 0);
        CHECK_EQ(control(KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_SESSION_KEYRING), 0);
        CHECK_EQ(control(KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_DEFAULT), KEY_REQKEY_DEFL_SESSION_KEYRING);
        CHECK_ERRNO(control(KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_GROUP_KEYRING), EINVAL);
        CHECK_ERRNO(control(KEYCTL_SET_REQKEY_KEYRING, 99), EINVAL);
    });
    CASE(key_label) SESSION({
        key id = add("user", "x", "x", 1, KEY_SPEC_PROCESS_KEYRING);
        text[0] = 'x';
        CHECK_EQ(control(KEYCTL_GET_SECURITY, id, text, sizeof text), 1);
        CHECK_EQ(text[0], 0);
    });
    CASE(key_persistent) SESSION({
        key ring = session();
        key id = control(KEYCTL_GET_PERSISTENT, -1, ring);
        CHECK(id > 0);
        describe(id, text, sizeof text);
        char wanted[64];
        snprintf(wanted, sizeof wanted, "keyring;%d;65534;1f030000;_persistent.%d", getuid(), getuid());
        CHECK(!strcmp(text, wanted));
        CHECK_EQ(control(KEYCTL_GET_PERSISTENT, getuid(), ring), id);
        CHECK_EQ(control(KEYCTL_UNLINK, id, ring), 0);
        AS_USER(CHECK_ERRNO(control(KEYCTL_GET_PERSISTENT, 0, KEY_SPEC_THREAD_KEYRING), EPERM));
    });
    CASE(key_capabilities) {
        unsigned char bits[4] = {9, 9, 9, 9};
        CHECK(control(KEYCTL_CAPABILITIES, bits, 4) >= 2);
        CHECK(bits[0] & KEYCTL_CAPS0_CAPABILITIES);
        CHECK(bits[0] & KEYCTL_CAPS0_INVALIDATE && bits[0] & KEYCTL_CAPS0_MOVE && bits[0] & KEYCTL_CAPS0_RESTRICT_KEYRING);
        CHECK_EQ(bits[3], 0);
    }
    CASE(key_session_to_the_parent) SESSION({
        key mine = session();
        key *other = (key *)conformance_shared_page();
        CHILD {
            *other = session();
            CHECK_EQ(control(KEYCTL_SESSION_TO_PARENT), 0);
        }
        CHECK(*other != mine);
        CHECK_EQ(control(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0), *other);
    });
    CASE(key_listed_in_proc) SESSION({
        session();
        key id = add("user", "listed-by-name", "12345", 5, KEY_SPEC_SESSION_KEYRING);
        control(KEYCTL_SET_TIMEOUT, id, 7500);
        FILE *file = fopen("/proc/keys", "r");
        char line[256], wanted[32];
        snprintf(wanted, sizeof wanted, "%08x ", id);
        int found = 0;
        while (fgets(line, sizeof line, file)) {
            if (strncmp(line, wanted, 9)) continue;
            found = 1;
            CHECK(strstr(line, " I--Q--- ") != NULL);
            CHECK(strstr(line, "   2h 3f010000 ") != NULL);
            CHECK(strstr(line, " user      listed-by-name: 5\n") != NULL);
        }
        CHECK(found);
        fclose(file);
        file = fopen("/proc/key-users", "r");
        found = 0;
        while (fgets(line, sizeof line, file)) {
            unsigned uid;
            int uses, keys, made, charged, limit, bytes, most;
            CHECK_EQ(sscanf(line, "%u: %d %d/%d %d/%d %d/%d", &uid, &uses, &keys, &made, &charged, &limit, &bytes, &most), 8);
            if (uid == geteuid()) found = keys > 0 && bytes > 0 && limit >= 200;
        }
        CHECK(found);
        fclose(file);
    });
}

int main(void) {
    conformance_enter();
    making();
    rings();
    states();
    others();
    return conformance_end();
}
