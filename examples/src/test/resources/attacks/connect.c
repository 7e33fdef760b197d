/* Reads the number of a port on this machine, and says whether it could connect to it. */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

int main(void) {
  unsigned short port;
  if (scanf("%hu", &port) != 1) {
    return 1;
  }
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int socket_ = socket(AF_INET, SOCK_STREAM, 0);
  int refused = connect(socket_, (struct sockaddr *)&address, sizeof address);
  puts(refused ? "refused" : "opened");
  return 0;
}
