// What the server says of things, in German: warnings, steps of an acceptance test, why a webhook is off.
export const sentences = {
  "api.meter_stale": "Seit {seconds} s kam nichts; bis wieder etwas kommt, zählen {power} kW.",
  "api.reading_refused": "Der letzte Messwert wurde abgelehnt: {why}",
  "api.fed_in":
    "Gemeldet werden {power} kW Einspeisung, obwohl nur {produced} kW Erzeugung bekannt sind: nur diese zählen. Legen Sie den Erzeuger als Anlage an, oder ändern Sie das Vorzeichen.",
  "api.asset_clock": "Die Uhr des Zählers geht {seconds} s {direction}: Messwerte zählen ab ihrer Ankunft, aber stellen Sie die Uhr.",
  "api.station_clock": "Die Uhr der Ladestation geht {seconds} s {direction}: Grenzen werden in ihrer Zeit gesendet, aber stellen Sie die Uhr.",
  "api.meter_above_capacity":
    "Der Zähler zeigt {power} kW, erlaubt sind {most} kW: die Grenzen werden um den Unterschied gesenkt, bis es passt.",
  "api.fallbacks_exceed":
    "Ohne diesen Server dürfen die Stecker {power} kW ziehen, erlaubt sind {most} kW: senken Sie die Rückfallwerte, oder lassen Sie jede Ladestation ihren bestätigen.",
  "api.impossible_reading":
    "Der Zähler meldete {power} kW, die ein Stecker mit {most} kW nicht ziehen kann: prüfen Sie die Einheit der Messwerte.",
  "api.unknown_connector":
    "Stecker {number} der Ladestation ist nicht angelegt und lädt: {power} kW sind dafür reserviert. Legen Sie den Stecker an, oder berichtigen Sie seine Nummer.",
  "api.price_zero": "EVSEs ohne Gruppe: {evses}. Ihr Preis ist null, solange das Angebot gilt.",
  "api.not_exported": "EVSEs, die für Roaming geschlossen sind: {evses}. Exporte lassen sie aus, bis Roaming für sie an ist.",

  "api.test_connected": "Sie ist verbunden und spricht {protocol}.",
  "api.test_booted": "Sie hat gemeldet, dass sie gestartet ist.",
  "api.test_no_boot": "Innerhalb von {seconds} s kam keine BootNotification.",
  "api.test_status": "Sie hat den Zustand des Steckers gemeldet.",
  "api.test_no_status": "Innerhalb von {seconds} s kam kein Zustand des Steckers.",
  "api.test_meter": "Der Zähler zeigt {power}.",
  "api.test_register": "Der Zähler zeigt {energy} Wh, aber keine Leistung.",
  "api.test_no_reading": "Der Zähler zeigt weder Leistung noch Energie.",
  "api.test_no_meter": "Ein Auto lädt, aber innerhalb von {seconds} s kam kein Messwert.",
  "api.test_meter_idle": "Solange kein Auto lädt, sendet sie keine Messwerte.",
  "api.test_nothing_to_lower": "Es darf dort ohnehin nichts gezogen werden, also gibt es nichts zu senken.",
  "api.test_says_nothing": "Sie sagt, dass nichts gezogen werden darf: so will es das Lastmanagement, solange kein Auto lädt.",
  "api.test_limited_elsewhere": "Nicht versucht: etwas anderes begrenzt die Ladestation auf nichts.",
  "api.test_balancing_given": "Das Lastmanagement hat {power} als Höchstes für diesen Stecker bekommen.",
  "api.test_no_evse": "Das Lastmanagement kennt diese EVSE nicht.",
  "api.test_limit_taken": "Sie hat eine Grenze von {power} angenommen.",
  "api.test_followed": "Der Zähler zeigte {seconds} s nach der Grenze von {power} noch {shown}; davor waren es {was}.",
  "api.test_not_followed": "Der Zähler zeigte {seconds} s nach der Grenze von {power} immer noch {shown}.",
  "api.test_no_meter_after": "Innerhalb von {seconds} s nach der Grenze kam kein Messwert.",
  "api.test_schedule": "Kein Auto zieht genug; sie sagt, dass {shown} gelten, bei einer Grenze von {power}.",
  "api.test_schedule_other": "Sie sagt, dass {shown} gelten, bei einer Grenze von {power}.",
  "api.test_schedule_unsaid": "Kein Auto zieht genug, und sie sagt nicht, welche Grenze gilt.",
  "api.test_schedule_failed": "Kein Auto zieht genug, und welche Grenze gilt, war nicht zu erfahren: {why}",
  "api.test_free": "Das Lastmanagement entscheidet wieder allein.",
  "api.test_joined": "Die Ladestation kam während des Tests in eine Gruppe; an die Stelle der Grenze ist die des Lastmanagements getreten.",
  "api.test_removed": "Sie hat die Grenze entfernt.",
  "api.test_not_removed":
    "Die Grenze wurde nicht entfernt; das geschieht, wenn die Ladestation sich wieder verbindet. Hält sie sich an deren Ende, vergisst sie sie um {until}: {why}",

  "api.webhook_silent": "Drei Tage lang kam kein Ereignis an: {why}",

  "direction.ahead": "vor",
  "direction.behind": "nach",
};
