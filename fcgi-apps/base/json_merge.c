#include "base/json_tree.h"

static int replace(struct json **target, struct json *value)
{
	if (!value)
		return -ENOMEM;
	json_free(*target);
	*target = value;
	return 0;
}

static int merge_member(struct json *object, const char *name, const struct json *patch)
{
	struct json *child = (struct json *)json_get(object, name);

	if (child && json_type(child) == JSON_OBJECT && json_type(patch) == JSON_OBJECT)
		return json_merge_patch(&child, patch); /* both are objects: in place */

	struct json *fresh = NULL;
	int r = json_merge_patch(&fresh, patch);
	if (r < 0) {
		json_free(fresh);
		return r;
	}
	return json_set(object, name, fresh);
}

int json_merge_patch(struct json **target, const struct json *patch)
{
	if (json_type(patch) != JSON_OBJECT)
		return replace(target, json_copy(patch));
	if (!*target || json_type(*target) != JSON_OBJECT) {
		int r = replace(target, json_new_object());
		if (r < 0)
			return r;
	}
	json_each (patch, member) {
		if (json_type(member.value) == JSON_NULL) {
			json_remove(*target, member.name);
			continue;
		}
		int r = merge_member(*target, member.name, member.value);
		if (r < 0)
			return r;
	}
	return 0;
}
