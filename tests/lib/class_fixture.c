#include "tests/lib/class_fixture.h"

#include "tests/lib/test.h"

/* ---- writing ---- */

struct school_draft *class_begin(struct class_fixture *f)
{
    return ledger_begin(&f->ledger, DAY);
}

uint64_t class_end(struct class_fixture *f)
{
    uint64_t index = ledger_end(&f->ledger);
    assert_int_equal(ledger_apply(&f->ledger, &f->journal, index, WHOLE), STATUS_OK);
    assert_int_equal(ledger_verdict(&f->journal, index).outcome, VERDICT_ACCEPTED);
    return index;
}

void class_add_person(
    struct school_draft *draft, uint64_t id, const char *surname, const char *given_name)
{
    Zhurnal__V1__PersonRegistered *person = DRAFT_ADD(draft, person_registered, PERSON_REGISTERED);
    person->person = id;
    person->surname_part = draft_part(draft, id, ZHURNAL__V1__BASIS__BASIS_SERVICE, surname);
    person->given_name_part = draft_part(draft, id, ZHURNAL__V1__BASIS__BASIS_SERVICE, given_name);
}

void class_enrol(
    struct school_draft *draft, uint64_t id, const char *surname, const char *given_name)
{
    class_add_person(draft, id, surname, given_name);
    Zhurnal__V1__PupilEnrolled *enrolled = DRAFT_ADD(draft, pupil_enrolled, PUPIL_ENROLLED);
    enrolled->pupil = id;
    enrolled->class_id = CLASS;
}

void class_add_lesson(struct school_draft *draft, uint64_t id, uint32_t slot, const char *topic)
{
    Zhurnal__V1__LessonHeld *held = DRAFT_ADD(draft, lesson_held, LESSON_HELD);
    held->page = PAGE;
    held->lesson = id;
    held->number = (uint32_t)(id - LESSON + 1);
    held->slot = slot;
    held->topic = draft_text(draft, topic);
}

Zhurnal__V1__AttendanceException *class_exception(
    struct school_draft *draft, uint64_t pupil, Zhurnal__V1__AttendanceCode code)
{
    Zhurnal__V1__AttendanceException *exception =
        draft_message(draft, &zhurnal__v1__attendance_exception__descriptor);
    exception->pupil = pupil;
    exception->code = code;
    exception->late_minutes = code == ZHURNAL__V1__ATTENDANCE_CODE__ATTENDANCE_CODE_LATE ? 10 : 0;
    return exception;
}

Zhurnal__V1__EventRef *class_ref(
    struct school_draft *draft, const uint8_t id[ENTRY_ID_SIZE], uint32_t event)
{
    Zhurnal__V1__EventRef *ref = draft_message(draft, &zhurnal__v1__event_ref__descriptor);
    ref->entry_id.data = draft_alloc(draft, ENTRY_ID_SIZE);
    ref->entry_id.len = ENTRY_ID_SIZE;
    memcpy(ref->entry_id.data, id, ENTRY_ID_SIZE);
    ref->event = event;
    return ref;
}

Zhurnal__V1__EntryCorrected *class_add_correction(
    struct school_draft *draft, const uint8_t id[ENTRY_ID_SIZE], uint32_t event)
{
    Zhurnal__V1__EntryCorrected *corrected = DRAFT_ADD(draft, entry_corrected, ENTRY_CORRECTED);
    corrected->ref = class_ref(draft, id, event);
    corrected->reason = ZHURNAL__V1__CORRECTION_REASON__CORRECTION_REASON_SLIP;
    return corrected;
}

/* ---- the class ---- */

static void register_school(struct class_fixture *f)
{
    struct school_entry entry = {0};
    struct school_draft *draft = class_begin(f);
    draft->draft.school = 0;
    Zhurnal__V1__SchoolRegistered *school = DRAFT_ADD(draft, school_registered, SCHOOL_REGISTERED);
    school->school = LEDGER_SCHOOL;
    school->name = draft_text(draft, "Школа № 2");
    draft_end(draft, &entry);
    ledger_append(&f->ledger, entry.request, &ledger_founder);
}

static void add_class(struct school_draft *draft)
{
    Zhurnal__V1__SchoolYearOpened *year = DRAFT_ADD(draft, school_year_opened, SCHOOL_YEAR_OPENED);
    year->year = YEAR;
    year->label = draft_text(draft, "2026/27");
    Zhurnal__V1__ClassFormed *class = DRAFT_ADD(draft, class_formed, CLASS_FORMED);
    class->class_id = CLASS;
    class->grade = 5;
    class->letter = draft_text(draft, "А");
    Zhurnal__V1__SubjectDefined *subject = DRAFT_ADD(draft, subject_defined, SUBJECT_DEFINED);
    subject->subject = SUBJECT;
    subject->name = draft_text(draft, "Математика");
    Zhurnal__V1__PageOpened *page = DRAFT_ADD(draft, page_opened, PAGE_OPENED);
    page->page = PAGE;
    page->owner_case = ZHURNAL__V1__PAGE_OPENED__OWNER_CLASS_ID;
    page->class_id = CLASS;
    page->subject = SUBJECT;
    page->year = YEAR;
    Zhurnal__V1__TeachingAssigned *teaching =
        DRAFT_ADD(draft, teaching_assigned, TEACHING_ASSIGNED);
    teaching->teacher = TEACHER;
    teaching->page = PAGE;
    teaching->from_day = 20260901;
}

int class_set_up(void **state)
{
    static struct class_fixture f;
    ledger_open(&f.ledger);
    (void)ledger_open_journal(&f.ledger, &f.journal, "views");
    arena_init(&f.arena, PAGE_ARENA_LIMIT);
    register_school(&f);
    struct school_draft *draft = class_begin(&f);
    add_class(draft);
    class_add_person(draft, TEACHER, "Хасанова", "Марьям");
    class_enrol(draft, ZHUKOV, "Жуков", "Пётр");
    class_enrol(draft, ELKINA, "Ёлкина", "Анна");
    class_enrol(draft, EGOROV, "Егоров", "Иван");
    class_end(&f);
    *state = &f;
    return 0;
}

int class_tear_down(void **state)
{
    struct class_fixture *f = *state;
    arena_reset(&f->arena);
    journal_close(&f->journal, false);
    ledger_close(&f->ledger);
    return 0;
}

/* ---- reading ---- */

int class_read_days(struct class_fixture *f, uint32_t from_day, uint32_t to_day)
{
    Zhurnal__V1__GetPageRequest request = ZHURNAL__V1__GET_PAGE_REQUEST__INIT;
    request.school = LEDGER_SCHOOL;
    request.page = PAGE;
    request.from_day = from_day;
    request.to_day = to_day;
    arena_reset(&f->arena);
    return ledger_page(&f->ledger, &f->journal, &request, &f->arena, &f->page);
}

void class_read(struct class_fixture *f)
{
    assert_int_equal(class_read_days(f, 0, 0), STATUS_OK);
}

Zhurnal__V1__PageLesson *class_read_lesson(struct class_fixture *f)
{
    class_read(f);
    assert_int_equal(f->page->n_lessons, 1);
    return f->page->lessons[0];
}
