/* The software's version, as --version, Status and hellos between nodes tell it. */
#ifndef PROTO_VERSION_H
#define PROTO_VERSION_H

#define ZHURNAL_VERSION "0.1.0"

#endif
