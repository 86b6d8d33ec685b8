/* The software's version, as Status and hellos between nodes tell it. */
#ifndef NODE_VERSION_H
#define NODE_VERSION_H

#define ZHURNAL_VERSION "0.1.0"

#endif
