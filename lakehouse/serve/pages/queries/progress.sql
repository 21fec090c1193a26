SELECT sum(events) AS events, sum(late) AS late, sum(rejected) AS rejected,
    max(written_at) AS as_of
FROM gold.live_windows
WHERE kind = 'progress' AND list_contains(string_split($topics, ' '), topic)
