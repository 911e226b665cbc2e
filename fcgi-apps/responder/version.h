/* The version of this build: `git describe` at build time, or the VERSION that make was given. */
#ifndef RESPONDER_VERSION_H
#define RESPONDER_VERSION_H

extern const char service_version[];

#endif
