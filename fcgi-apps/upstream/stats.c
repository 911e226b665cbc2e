/* Apart from the calls, so that a service that has no siblings is not linked with libcurl: its
 * libraries would be half of that worker's memory. */
#include "upstream/state.h"

void upstream_stats(struct upstream *upstream, struct upstream_stats *ret_stats)
{
	pthread_mutex_lock(&upstream->lock);
	*ret_stats = upstream->stats;
	ret_stats->breaker = upstream->breaker.state;
	pthread_mutex_unlock(&upstream->lock);
}

const char *upstream_name(const struct upstream *upstream)
{
	return upstream->options.name;
}
