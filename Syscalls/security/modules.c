// lsm_list_modules(2), lsm_get_self_attr(2), lsm_set_self_attr(2). Which modules a kernel has, beside capabilities, differs.
#include "conformance.h"

#define LSM_GET 459
#define LSM_SET 460
#define LSM_LIST 461

int main(void) {
    conformance_enter();
    uint64_t modules[64];
    uint32_t size;
    COVERS(lsm_list_modules);
    CASE(modules_list) {
        size = sizeof modules;
        long count = syscall(LSM_LIST, modules, &size, 0);
        CHECK(count > 0);
        CHECK_EQ(size, count * 8);
        int capabilities = 0, landlock = 0;
        for (long i = 0; i < count; i++) {
            if (modules[i] == 100) capabilities++;
            if (modules[i] == 110) landlock++;
        }
        CHECK_EQ(capabilities, 1);
        CHECK_EQ(landlock, 1);
        uint32_t needed = size;
        size = 4;
        CHECK_ERRNO(syscall(LSM_LIST, modules, &size, 0), E2BIG);
        CHECK_EQ(size, needed);
        CHECK_ERRNO(syscall(LSM_LIST, BAD_POINTER, &size, 0), EFAULT);
        CHECK_ERRNO(syscall(LSM_LIST, modules, BAD_POINTER, 0), EFAULT);
        CHECK_ERRNO(syscall(LSM_LIST, modules, &size, 1), EINVAL);
    }
    COVERS(lsm_get_self_attr);
    CASE(modules_attributes) {
        char context[256] = "";
        size = sizeof context;
        CHECK_ERRNO(syscall(LSM_GET, 100, context, &size, 0), EOPNOTSUPP);
        CHECK_EQ(size, 0);
        size = sizeof context;
        CHECK_ERRNO(syscall(LSM_GET, 0, context, &size, 0), EINVAL);
        CHECK_ERRNO(syscall(LSM_GET, 100, context, NULL, 0), EINVAL);
        CHECK_ERRNO(syscall(LSM_GET, 100, context, BAD_POINTER, 0), EFAULT);
        CHECK_ERRNO(syscall(LSM_GET, 100, context, &size, 2), EINVAL);
        CHECK_ERRNO(syscall(LSM_GET, 100, NULL, &size, 1), EINVAL);
        CHECK_ERRNO(syscall(LSM_GET, 100, context, &size, 1), EINVAL);
        *(uint64_t *)context = 100;
        CHECK_ERRNO(syscall(LSM_GET, 100, context, &size, 1), EOPNOTSUPP);
    }
    COVERS(lsm_set_self_attr);
    CASE(modules_setting) {
        uint64_t context[8] = {100, 0, 40, 8};
        CHECK_ERRNO(syscall(LSM_SET, 100, context, 64, 1), EINVAL);
        CHECK_ERRNO(syscall(LSM_SET, 100, context, 16, 0), EINVAL);
        CHECK_ERRNO(syscall(LSM_SET, 100, context, 5000, 0), E2BIG);
        CHECK_ERRNO(syscall(LSM_SET, 100, BAD_POINTER, 64, 0), EFAULT);
        CHECK_ERRNO(syscall(LSM_SET, 100, context, 64, 0), EOPNOTSUPP);
        context[3] = 9;
        CHECK_ERRNO(syscall(LSM_SET, 100, context, 64, 0), EINVAL);
        context[3] = 8;
        context[2] = 65;
        CHECK_ERRNO(syscall(LSM_SET, 100, context, 64, 0), EINVAL);
    }
    return conformance_end();
}
