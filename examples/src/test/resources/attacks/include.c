/* Has the compiler show a file in its messages. */
#include "/etc/passwd"

int main(void) { return 0; }
