-- One meaning of "at or below a place" for every statement: `reach` is "whole" or a list of paths (server/src/http/reach.ts).
CREATE FUNCTION in_reach(path text, reach jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT reach = '"whole"'::jsonb OR EXISTS (
		SELECT 1 FROM jsonb_array_elements_text(CASE WHEN jsonb_typeof(reach) = 'array' THEN reach ELSE '[]'::jsonb END) AS place
		WHERE path = place OR starts_with(path, place || '/'))
$$;
