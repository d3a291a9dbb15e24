-- Locations, their latest weather, its history and forecast, and the record of fetch runs.
-- All times are UTC. There are no foreign keys: cascaded deletes would be missing from the binary log.

CREATE TABLE IF NOT EXISTS `locations` (
  `id` INT UNSIGNED NOT NULL AUTO_INCREMENT,
  `latitude` DECIMAL(8,5) NOT NULL,
  `longitude` DECIMAL(8,5) NOT NULL,
  `name` VARCHAR(120) NULL,
  `elevation` DOUBLE NULL COMMENT 'm',
  `active` BOOL NOT NULL DEFAULT TRUE,
  PRIMARY KEY (`id`),
  UNIQUE KEY `latitude_longitude` (`latitude`, `longitude`)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_0900_ai_ci;

CREATE TABLE IF NOT EXISTS `weather_data` (
  `location_id` INT UNSIGNED NOT NULL,
  `valid_at` DATETIME NOT NULL COMMENT 'model time',
  `temperature_2m` DOUBLE NULL COMMENT 'degrees Celsius',
  `wind_speed_10m` DOUBLE NULL COMMENT 'm/s',
  `wind_direction_10m` DOUBLE NULL COMMENT 'degrees, where the wind comes from',
  `wind_gusts_10m` DOUBLE NULL COMMENT 'm/s',
  `relative_humidity_2m` DOUBLE NULL COMMENT 'per cent',
  `pressure_msl` DOUBLE NULL COMMENT 'hPa',
  `weather_code` SMALLINT UNSIGNED NULL COMMENT 'WMO 4677',
  `model_latitude` DOUBLE NOT NULL,
  `model_longitude` DOUBLE NOT NULL,
  `source` ENUM('open-meteo', 'simulator') NOT NULL,
  `run_id` BIGINT UNSIGNED NOT NULL,
  `fetched_at` DATETIME(6) NOT NULL,
  PRIMARY KEY (`location_id`)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_0900_ai_ci;

CREATE TABLE IF NOT EXISTS `weather_history` (
  `location_id` INT UNSIGNED NOT NULL,
  `valid_at` DATETIME NOT NULL COMMENT 'model time',
  `temperature_2m` DOUBLE NULL COMMENT 'degrees Celsius',
  `wind_speed_10m` DOUBLE NULL COMMENT 'm/s',
  `wind_direction_10m` DOUBLE NULL COMMENT 'degrees, where the wind comes from',
  `wind_gusts_10m` DOUBLE NULL COMMENT 'm/s',
  `relative_humidity_2m` DOUBLE NULL COMMENT 'per cent',
  `pressure_msl` DOUBLE NULL COMMENT 'hPa',
  `weather_code` SMALLINT UNSIGNED NULL COMMENT 'WMO 4677',
  `source` ENUM('open-meteo', 'simulator') NOT NULL,
  `run_id` BIGINT UNSIGNED NOT NULL,
  `fetched_at` DATETIME(6) NOT NULL,
  PRIMARY KEY (`location_id`, `valid_at`),
  KEY `valid_at` (`valid_at`)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_0900_ai_ci;

CREATE TABLE IF NOT EXISTS `weather_forecast` (
  `location_id` INT UNSIGNED NOT NULL,
  `issued_at` DATETIME(6) NOT NULL,
  `valid_at` JSON NOT NULL COMMENT 'Unix seconds, ascending, hourly',
  `temperature_2m` JSON NOT NULL COMMENT 'degrees Celsius',
  `wind_speed_10m` JSON NOT NULL COMMENT 'm/s',
  `wind_direction_10m` JSON NOT NULL COMMENT 'degrees',
  `source` ENUM('open-meteo', 'simulator') NOT NULL,
  `run_id` BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (`location_id`)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_0900_ai_ci;

CREATE TABLE IF NOT EXISTS `fetch_runs` (
  `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  `started_at` DATETIME(6) NOT NULL,
  `finished_at` DATETIME(6) NULL,
  `outcome` ENUM('running', 'done', 'partial', 'quota', 'failed', 'died') NOT NULL,
  `source` ENUM('open-meteo', 'simulator') NULL,
  `points_asked` INT UNSIGNED NOT NULL DEFAULT 0,
  `points_stored` INT UNSIGNED NOT NULL DEFAULT 0,
  `points_failed` INT UNSIGNED NOT NULL DEFAULT 0,
  `upstream_status` JSON NOT NULL DEFAULT (JSON_OBJECT()) COMMENT 'answers by HTTP status',
  `upstream_latency_buckets` JSON NOT NULL DEFAULT (JSON_OBJECT()) COMMENT 'cumulative, upper bound in seconds',
  `upstream_latency_sum_seconds` DOUBLE NOT NULL DEFAULT 0,
  `weight_by_minute` JSON NOT NULL DEFAULT (JSON_OBJECT()) COMMENT 'quota weight by Unix minute',
  `blocked_until` DATETIME NULL,
  `error` VARCHAR(1000) NULL,
  PRIMARY KEY (`id`)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_0900_ai_ci;
