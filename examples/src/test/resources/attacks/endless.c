/* Has the compiler read a file that never ends. */
#include "/dev/urandom"

int main(void) { return 0; }
